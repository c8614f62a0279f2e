"""The profile does not say which kernel features it was written for.

## What it is

No `abi <abi/3.0>,` or `abi <abi/4.0>,` in the file.

## Why it is bad

Without it the parser takes the features of the kernel it runs on, so that the same file means
something else on the next machine: from AppArmor 4 on, a profile without rules for `userns` or
`unix` may deny them where it used not to.

    apparmor="DENIED" class="net" family="unix"

## What to do instead

Begin the file with `abi <abi/3.0>,`.

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
    id="apparmor-no-abi",
    summary="the profile does not say which kernel features it was written for",
    severity=Severity.HINT,
    since="0.1.0",
    why="a newer parser denies what the profile has no words for, unix sockets and user namespaces",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    if subject.preamble.has_abi:
        return
    yield at_value(
        META,
        subject.name,
        f"`{subject.name.value}` is read with the features of whatever kernel it runs on",
        "abi",
        remedies=(
            Remedy(
                "pin the features of AppArmor 3",
                safe=False,
                changes=(Add("preamble", "abi <abi/3.0>,"),),
                caution="parsers older than 3.0 refuse the line",
            ),
        ),
    )
