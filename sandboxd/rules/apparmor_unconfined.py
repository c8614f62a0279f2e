"""The AppArmor profile is switched off.

## What it is

`apparmor=unconfined` or `apparmor:unconfined` as a security option.

## Why it is bad

On hosts with AppArmor (Ubuntu, Debian, SUSE) the profile `docker-default` forbids mounting and
writing to dangerous files of `/proc` and `/sys`, whatever capabilities the container has. It is
what still holds when a capability too many was added:

    echo '|/tmp/x' > /proc/sys/kernel/core_pattern    # runs /tmp/x on the host at the next crash

By itself it is a warning; with `SYS_ADMIN` or `privileged`, which give the right to mount, an error.

## What to do instead

Remove it. If a mount is really needed, load a profile that allows this one mount, and name it:
`apparmor=my-profile`.

## Under gVisor

gVisor ignores AppArmor profiles, so the option has no effect, and is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import control_severity, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="apparmor-unconfined",
    summary="the AppArmor profile is switched off",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the profile is what forbids mounting and writing to /proc when a capability is too many",
    needs=(Has("security_opt", "apparmor"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("apparmor")
    if value is None or value.value.value != "unconfined":
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` switches AppArmor off: with one right too many, code inside mounts the "
        "host's disks or writes its kernel settings",
        "apparmor=unconfined",
        control_severity(subject, host),
        (
            Remedy(
                "use the engine's default profile",
                safe=not shares_kernel(subject, host),
                changes=(Remove(value),),
                caution="mounting inside stops working",
            ),
        ),
    )
