"""The profile lets everything be mounted.

## What it is

A bare `mount,`, `remount,` or `pivot_root,`, without paths, types or options.

## Why it is bad

AppArmor is what stops a process that has SYS_ADMIN, or a user namespace of its own, from mounting:

    mount -t cgroup -o rdma cgroup /tmp/c && echo /cmd > /tmp/c/release_agent    # CVE-2022-0492

## What to do instead

Write `deny mount,` as docker's own profile does. Where one mount is needed, name it:

    mount fstype=tmpfs -> /run/build/,

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-blanket-mount",
    summary="the profile lets everything be mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="mounting is the first step of most escapes, and undoes what is mounted read-only",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    for rule in subject.rules:
        if rule.word not in ("mount", "remount", "pivot_root") or rule.deny or rule.rest:
            continue
        yield at_value(
            META,
            rule.value,
            f"`{rule.value.value},` lets every process mount whatever its capabilities allow",
            rule.word,
            remedies=(
                Remedy(
                    f"write `deny {rule.word},`",
                    safe=False,
                    changes=(Replace(rule.value, f"deny {rule.word}"),),
                    caution="mounting inside stops working",
                ),
            ),
        )
