"""All capabilities are added.

## What it is

`"capAdd": ["ALL"]` or `--cap-add=ALL`. `--cap-drop=ALL` beside it has no effect, whichever comes
first.

## Why it is bad

All 41 capabilities, among them SYS_MODULE (load a kernel module), SYS_ADMIN (mount), SYS_RAWIO
(reach memory and devices) and DAC_READ_SEARCH (open any file of the host by its handle). Each of
these alone leads to the host:

    insmod rootkit.ko

## What to do instead

Add what is needed by name. Most projects need none: docker's default set, or with
`--cap-drop=ALL` the five CHOWN, DAC_OVERRIDE, FOWNER, SETGID and SETUID, build and run nearly
everything.

## Under gVisor

The capabilities are virtual; no module is loaded and no device opened. SYS_ADMIN among them voids
what is pinned read-only in the workspace, so it stays a warning.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
- https://man7.org/linux/man-pages/man7/capabilities.7.html
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
    id="cap-add-all",
    summary="all capabilities are added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="with them the container loads kernel modules and opens any file of the host",
    needs=(Has("cap_add", "ALL"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.cap_add:
        if value.value != "ALL":
            continue
        dropped = ", and `--cap-drop=ALL` changes nothing about it" if subject.drops_all() else ""
        yield at_value(
            META,
            value,
            f"`{value.written}` gives the container every capability{dropped}",
            "ALL",
            kernel_severity(subject, host, Severity.ERROR, Severity.WARNING),
            (
                Remedy(
                    "keep to the default capabilities",
                    safe=False,
                    changes=(Remove(value),),
                    caution="whatever needs more has to be added by name",
                ),
            ),
        )
