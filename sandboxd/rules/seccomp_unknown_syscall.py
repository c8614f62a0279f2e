"""The profile names a system call that libseccomp does not know.

## What it is

A name in `syscalls` that is not in libseccomp's table of all architectures. It is a slip, or a call
that is newer than the table here.

## Why it is bad

Where the libseccomp of the machine does not know it either, runc passes over it without a word. In a rule that refuses, the call it was meant for stays open; in
one that allows, a program fails for no visible reason:

    {"names": ["unshared"], "action": "SCMP_ACT_ERRNO"}    # unshare is open

## What to do instead

Correct the name; `man 2 syscalls` lists them. The C library's function often has another name than
the call (`eventfd` is `eventfd2`, `umount` is `umount2`).

## Under gVisor

The same; it ignores the whole profile unless `oci-seccomp` is on.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man2/syscalls.2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.model.syscalls import KERNEL, syscall_names
from sandboxd.rules._finding import at_value
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-unknown-syscall",
    summary="the profile names a system call that libseccomp does not know",
    severity=Severity.HINT,
    since="0.1.0",
    why="runc passes over it: the call that was meant is not refused, or not allowed",
)

# Finding the nearest name takes long for each; more than a few are another kind of file.
_MOST = 20


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    names = syscall_names()
    wrong = [call for call in subject.by_name if call not in names]
    for call in wrong[:_MOST]:
        value, _ = subject.by_name[call][0]
        near = _nearest(call, names)
        hint = f": did you mean `{near}`" if near else ""
        remedies = (
            (
                Remedy(
                    f"write `{near}`",
                    safe=False,
                    changes=(Replace(value, f'"{near}"'),),
                    caution=f"`{near}` is treated as the rule says",
                ),
            )
            if near and near not in subject.by_name
            else ()
        )
        message = f"no system call of Linux {KERNEL} is called `{readable(call)}`{hint}"
        yield at_value(META, value, message, call, remedies=remedies)


def _nearest(call: str, names: frozenset[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(call[:40], sorted(names), n=1, cutoff=0.75)
    return near[0] if near else ""
