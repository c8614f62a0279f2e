"""The profile only logs.

## What it is

`complain`, `unconfined` or `default_allow` among the profile's flags.

## Why it is bad

In complain mode the kernel writes down what it would have refused, and lets it happen. It is meant
for writing a profile, and stays behind in files that were once being written:

    profile app flags=(attach_disconnected, complain) { deny mount, }    # mounting works

## What to do instead

Take the flag out, load the profile again (`apparmor_parser -r FILE`), and look at what breaks:
`journalctl -k | grep apparmor`.

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

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-complain-mode",
    summary="the profile only logs",
    severity=Severity.ERROR,
    since="0.1.0",
    why="nothing is refused: the profile looks like a control and is none",
    needs=(Field("flags"),),
)

_OPEN = ("complain", "unconfined", "default_allow")


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    for flag in subject.flags:
        if flag in _OPEN:
            yield at_value(
                META,
                subject.name,
                f"`{subject.name.value}` has the flag `{flag}`: nothing is refused",
                flag,
            )
