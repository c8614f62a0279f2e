"""The profile does not say that mounting is denied.

## What it is

No rule about `mount` in the profile.

## Why it is bad

What no rule allows is denied, so it holds. But rules add up: an abstraction that is included later
may allow a mount, and only an explicit `deny` wins over that.

    #include <abstractions/lxc/container-base>    # brings mount rules along

## What to do instead

Add `deny mount,`, as docker's own profile has it.

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-missing-deny-mount",
    summary="the profile does not say that mounting is denied",
    severity=Severity.HINT,
    since="0.1.0",
    why="it is only denied since nothing allows it: one more include, and it is not",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    if subject.of("mount"):
        return
    yield at_value(
        META,
        subject.name,
        f"`{subject.name.value}` has no `deny mount,`",
        "mount",
        remedies=(Remedy("add `deny mount,`", safe=True, changes=(Add("rules", "deny mount,"),)),),
    )
