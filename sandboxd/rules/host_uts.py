"""The container shares the host's name.

## What it is

`--uts=host`, Compose `uts: host`.

## Why it is bad

With `SYS_ADMIN` or privileged, a process inside renames the host, which logs, certificates and
license servers rely on. Without it is only one wall less.

## What to do instead

`--hostname=NAME` names the container.

## Under gVisor

gVisor ignores it; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#uts
- https://github.com/google/gvisor/issues/7995
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-uts",
    summary="the host's name is shared",
    severity=Severity.WARNING,
    since="0.1.0",
    why="one wall less, and with SYS_ADMIN the host can be renamed",
    needs=(Has("uts", "host"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.uts
    if value is None or value.value != "host":
        return
    yield at_value(
        META,
        value,
        "the container shares the host's name, and may change it with SYS_ADMIN",
        "host",
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
        (
            Remedy(
                "give the container a name of its own",
                safe=False,
                changes=(Remove(value),),
                caution="the name inside is another one",
            ),
        ),
    )
