"""The profile lets everything be mounted.

## What it is

A bare `mount,`, `remount,` or `pivot_root,`, or one that leaves everything open: `mount fstype=*,`,
`mount options=(rw, bind),`, `mount / -> /**,`. `all,` allows it as well. A `deny mount,` takes it back,
unless the rule has a higher `priority=`.

## Why it is bad

AppArmor is what stops a process that has SYS_ADMIN, or a user namespace of its own, from mounting:

    mount -t cgroup -o rdma cgroup /tmp/c && echo /cmd > /tmp/c/release_agent    # CVE-2022-0492

## What to do instead

Write `deny mount,` as docker's own profile does. Where one mount is needed, name it:

    mount fstype=tmpfs -> /run/build/,

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile, AppArmorRule

META = RuleMeta(
    id="apparmor-blanket-mount",
    summary="the profile lets everything be mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="mounting is the first step of most escapes, and undoes what is mounted read-only",
)


_WORDS = ("mount", "remount", "pivot_root")
_LOWEST = float("-inf")
# Spellings of everything: as a path, and as a type of file system.
EVERYWHERE = ("/", "/**", "**", "/{,**}", "{/,/**}", "{,/**}")
EVERY_TYPE = ("*", "**", "(*)", "(**)")


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    denied = _denied_words(subject)
    for rule in subject.rules:
        if rule.deny or denied.get(_mount_word(rule), _LOWEST) >= rule.priority:
            continue
        if rule.word == "all":
            message = f"`{rule.value.value},` allows everything, mounting included"
        elif rule.word in _WORDS and _is_blanket(rule.rest):
            message = (
                f"`{rule.value.value},` lets every process mount whatever its capabilities allow"
            )
        else:
            continue
        deny = f"deny {_mount_word(rule)}"
        new = f"{rule.value.value},\n  {deny}" if rule.word == "all" else deny
        yield at_value(
            META,
            rule.value,
            message,
            rule.word if not rule.rest else rule.value.value,
            remedies=(
                Remedy(
                    f"write `{deny},`",
                    safe=False,
                    changes=(Replace(rule.value, new),),
                    caution="mounting inside stops working",
                ),
            ),
        )


def _denied_words(profile: AppArmorProfile) -> dict[str, float]:
    """Words that a bare deny takes back, each with the priority up to which it does."""
    denied: dict[str, float] = {}
    for rule in profile.rules:
        if rule.deny and not rule.rest:
            denied[rule.word] = max(rule.priority, denied.get(rule.word, _LOWEST))
    return denied


def _mount_word(rule: AppArmorRule) -> str:
    """The word of the deny that takes the rule back."""
    return "mount" if rule.word == "all" else rule.word


def _words(rest: str) -> Iterator[str]:
    """The parts between blanks; blanks within brackets part nothing."""
    start = 0
    blanks: list[re.Match[str]] = []
    for mark in re.finditer(r"\s+|[()]|\Z", rest):
        if mark[0].isspace():
            blanks.append(mark)
            continue
        for blank in blanks if mark[0] != ")" else ():
            yield rest[start : blank.start()]
            start = blank.end()
        blanks = []
    yield rest[start:]


def _is_blanket(rest: str) -> bool:
    """True if the rest of a mount rule leaves source, target and type open."""
    paths: list[str] = []
    for part in _words(rest):
        name, equals, value = part.partition("=")
        if equals and name in ("fstype", "vfstype"):
            if value not in EVERY_TYPE:
                return False
        elif equals and name in ("options", "option"):
            # With options alone any source goes anywhere, save for what only changes flags.
            if not re.search(r"bind|rw", value):
                return False
        elif part and part != "->":
            paths.append(part.strip('"'))
    return all(path in EVERYWHERE for path in paths)
