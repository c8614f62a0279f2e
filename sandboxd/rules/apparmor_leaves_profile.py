"""A rule of the profile lets a program run outside of it.

## What it is

`change_profile -> unconfined,`, a bare `change_profile,`, or a program that is executed without a
profile: `Ux`, `ux`, and `PUx` or `Cux` where the profile that they name is not loaded.

## Why it is bad

The profile holds until the first process asks to leave it. Whatever it forbids, mounting and writing to
`/proc` included, is then allowed again:

    aa-exec -p unconfined -- mount -t proc none /mnt

## What to do instead

`ix` keeps a program in this profile, `px` gives it one of its own and fails without. Where a profile is
changed, name the one that it changes to.

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
- https://gitlab.com/apparmor/apparmor/-/wikis/AppArmor_Core_Policy_Reference
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile, AppArmorRule

META = RuleMeta(
    id="apparmor-leaves-profile",
    summary="a rule of the profile lets a program run outside of it",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whatever the profile forbids is allowed again after one step",
)

ANY_PROFILE = ("", "unconfined", "*", "**", "/**")


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    for rule in subject.rules:
        if rule.deny:
            continue
        if rule.word == "change_profile" and _target(rule) in ANY_PROFILE:
            message = f"`{rule.value.value},` lets every process leave the profile"
        elif rule.word == "file" and re.search(r"[uU]x", rule.permissions):
            message = f"`{rule.value.value},` starts a program without any profile"
        else:
            continue
        yield at_value(
            META,
            rule.value,
            message,
            rule.value.value,
            remedies=(
                Remedy(
                    "remove the rule",
                    safe=False,
                    changes=(Remove(rule.value),),
                    caution="the program does not start, or stays in this profile",
                ),
            ),
        )


def _target(rule: AppArmorRule) -> str:
    """The profile behind the arrow, '' where any is meant."""
    return rule.rest.partition("->")[2].strip().strip('"')
