"""A Feature may be another one tomorrow.

## What it is

A Feature without a full version or a digest, that no `devcontainer-lock.json` pins. Where the lock file
cannot be looked for (an editor's buffer by itself) nothing is said.

## Why it is bad

Its `install.sh` runs as root in the next build, with whatever is published under that name then:

    "ghcr.io/someone/features/tool:1": {}    # 1.2.3 today, 1.2.4 tomorrow

## What to do instead

Commit the lock file that the dev container CLI writes beside the config (0.87 and newer; else
`devcontainer upgrade`), and build with `--frozen-lockfile`. Or name it by digest: `@sha256:...`.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
- https://containers.dev/implementors/spec/#lockfile
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="feature-unpinned",
    summary="a feature may be another one tomorrow",
    severity=Severity.HINT,
    since="0.1.0",
    why="whoever may publish it, or takes that account over, runs code as root in the next build",
    needs=(Field("features"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        feature = value.value
        if feature.source != "registry" or feature.locked is not False or feature.is_pinned():
            continue
        version = f"`:{feature.version}`" if feature.version else "no version"
        yield at_value(
            META,
            value,
            f"`{feature.id}` has {version} and no entry in a lock file: the next build may get "
            "another one",
            feature.id,
        )
