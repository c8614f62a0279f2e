"""The profile leaves out an architecture.

## What it is

`architectures` names SCMP_ARCH_X86_64 without SCMP_ARCH_X86, or SCMP_ARCH_AARCH64 without
SCMP_ARCH_ARM.

## Why it is bad

Programs of an architecture that a filter does not know are killed at their first system call: old
32-bit compilers, games, Wine, some proprietary tools. It weakens nothing, so it is a hint; but
nobody who sees "Bad system call" thinks of this line, and the next step is `seccomp=unconfined`.

    $ ./tool32
    Bad system call (core dumped)

## What to do instead

If such programs are used, write docker's `archMap`, which adds the sub-architectures of whatever
the machine is:

    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}]

If not, it is a sound choice: 32-bit calls are a way around conditions on arguments. Allow it with
`sandboxd.toml`.

## Under gVisor

gVisor runs no 32-bit programs at all.
Not tried on a build.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man3/seccomp_arch_add.3.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-arch-missing",
    summary="the profile leaves out an architecture",
    severity=Severity.HINT,
    since="0.1.0",
    why="programs of an architecture that the filter does not know are killed",
    needs=(Field("architectures"),),
)

_BELOW = {"SCMP_ARCH_X86_64": "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64": "SCMP_ARCH_ARM"}


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    listed = {value.value for value in subject.architectures}
    for value in subject.architectures:
        below = _BELOW.get(value.value)
        if below is None or below in listed or value.origin.key != "architectures":
            continue
        yield at_value(
            META,
            value,
            f"`{value.value}` without `{below}`: 32-bit programs are killed at their first call",
            value.value,
            remedies=(
                Remedy(
                    f"add `{below}`",
                    safe=False,
                    changes=(Add("architectures", f'"{below}"'),),
                    caution="32-bit calls are open, which conditions on arguments may not cover",
                ),
            ),
        )
