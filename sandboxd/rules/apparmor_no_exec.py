"""The profile lets no program start.

## What it is

No rule gives execution: neither `file,` nor a path with `ix`, `px`, `cx` or `ux`.

## Why it is bad

The container's own first program is executed under the profile:

    exec /bin/sh: permission denied

The guide that says "deny what is dangerous, allow the workspace" leads here: a profile with one
rule that allows is a list of all that is allowed.

## What to do instead

Begin with `file,` and deny what is dangerous, as docker's own profile does; or add

    /{,usr/,usr/local/}{,s}bin/** mrix,
    /usr/lib/** mr,

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
    id="apparmor-no-exec",
    summary="the profile lets no program start",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the container does not even start its first process",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    if subject.runs_programs() or "unconfined" in subject.flags:
        return
    if subject.includes_unknown():
        return
    yield at_value(
        META,
        subject.name,
        f"`{subject.name.value}` allows no program to be executed: the container does not start",
        "exec",
        remedies=(
            Remedy(
                "allow all files, as docker's own profile does, less what is denied",
                safe=False,
                changes=(Add("rules", "file,"),),
                caution="only what is denied is protected",
            ),
        ),
    )
