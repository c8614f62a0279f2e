"""An AppArmor profile where there is no AppArmor.

## What it is

`apparmor=NAME` while the engine's kernel has no AppArmor: Docker Desktop, WSL 2, Fedora and most
virtual machines.

## Why it is bad

The engine takes the option and nothing happens: no error, no profile. The file says more than
what is true.

## What to do instead

Count on seccomp and on the runtime there, or run the container where AppArmor is: Ubuntu,
Debian, SUSE. `sandboxd doctor` says what this host has.

## Under gVisor

gVisor ignores AppArmor profiles on every host; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="apparmor-not-available",
    summary="there is no AppArmor for the profile",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the engine takes the option, and nothing is confined by it",
    needs=(Field("security_opt"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("apparmor")
    if host.apparmor is not False or value is None or value.value.value in ("", "unconfined"):
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` has no effect: the engine's kernel has no AppArmor",
        value.value.value,
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
    )
