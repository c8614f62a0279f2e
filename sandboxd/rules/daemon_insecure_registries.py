"""Images are taken without checking who sends them.

## What it is

Entries of `insecure-registries`.

## Why it is bad

For these the engine takes any certificate, and plain HTTP. An image decides what runs, as root, with
the workspace mounted:

    docker pull registry.example:5000/base    # from whoever answers first

## What to do instead

Give the registry a certificate and put its authority into `/etc/docker/certs.d/NAME/ca.crt`. The
engine trusts 127.0.0.0/8 without being told.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-insecure-registries",
    summary="images are taken without checking who sends them",
    severity=Severity.WARNING,
    since="0.1.0",
    why="who is on the way to the registry replaces any image",
    needs=(Field("lists"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    for value in subject.strings("insecure-registries"):
        if value.value.startswith(("127.", "localhost")):
            continue
        yield at_value(
            META,
            value,
            f"images of `{value.value}` are taken from whoever answers under that name",
            value.value,
            remedies=(
                Remedy(
                    f"remove `{value.value}`",
                    safe=False,
                    changes=(Remove(value),),
                    caution="pulling from it fails until it has a certificate",
                ),
            ),
        )
