"""The profile refuses `clone3` in a way that makes threads fail.

## What it is

A list names a system call that is newer than `clone3` (`close_range`, `openat2`, `faccessat2`,
`epoll_pwait2` ...), and answers `clone3` itself with EPERM, which is the default.

## Why it is bad

The C library starts threads with `clone3` and takes the older `clone` only when it hears ENOSYS,
"there is no such call". To EPERM it answers by giving up:

    RuntimeError: can't start new thread

runc answers ENOSYS by itself, but only for calls newer than the newest that the list names. So a
list can work for years, and break everything on the day that one newer name is added to it.

## What to do instead

Say it, as docker's own list does:

    {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}

## Under gVisor

With `oci-seccomp` gVisor answers EPERM to every call that is not allowed, and never ENOSYS. There the
rule is needed in any case.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://github.com/moby/moby/pull/42681
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Finding, Remedy, RuleMeta, Severity
from sandboxd.model.syscalls import CLONE3, NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-clone3-eperm",
    summary="the profile refuses clone3 in a way that makes threads fail",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the C library falls back to clone only on ENOSYS: on EPERM no thread starts",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    outcome = subject.decide("clone3")
    if outcome.is_open or outcome.is_unknown_call:
        return
    newer = sorted(
        (NEWEST[call], call) for call in subject.calls_with_rules() if NEWEST.get(call, 0) > CLONE3
    )
    if outcome.name is None and not newer:
        return
    if outcome.name is None:
        _, call = newer[0]
        value = subject.by_name[call][0][0]
        message = (
            f"`{call}` is newer than `clone3`, which is not listed: it is answered with EPERM, "
            "and no thread starts"
        )
    else:
        value = outcome.name
        message = "`clone3` is refused with another error than ENOSYS (38): no thread starts"
    place = value.place or subject.place
    rule = '{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}'
    remedies = (
        (Remedy("answer `clone3` with ENOSYS", True, (Add("syscalls", rule),)),)
        if outcome.name is None
        else ()
    )
    yield Finding(
        META.id, META.severity, message, place, value.value, remedies=remedies, why=META.why
    )
