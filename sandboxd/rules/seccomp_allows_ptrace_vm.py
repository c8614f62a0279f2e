"""The profile allows tracing without asking for a new kernel.

## What it is

`ptrace`, `process_vm_readv` or `process_vm_writev` is allowed without `includes.minKernel` 4.8.

## Why it is bad

Before Linux 4.8 a tracer could change the number of a system call after the filter had looked at
it, and so make any call:

    ptrace(PTRACE_POKEUSER, child, ORIG_RAX, SYS_mount)

On newer kernels it is fine among processes of one user, which is why docker's own list has it.

## What to do instead

Say which kernel it takes:

    {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}

For an unattended agent leave it off: it reads the memory of every process of the same user.

## Under gVisor

gVisor traces within its own kernel only. It ignores the profile unless `oci-seccomp` is on.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man2/seccomp.2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Remedy, Remove, RuleMeta, Severity
from sandboxd.model.seccomp import Context
from sandboxd.rules._finding import at_value
from sandboxd.rules._seccomp import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-allows-ptrace-vm",
    summary="the profile allows tracing without asking for a new kernel",
    severity=Severity.HINT,
    since="0.1.0",
    why="before Linux 4.8 a tracer gets past the filter",
)

_OLD = Context(kernel=(4, 7))


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.is_denylist():
        return
    names = subject.open_calls(("ptrace", "process_vm_readv", "process_vm_writev"), _OLD)
    if names:
        yield at_value(
            META,
            names[0],
            f"{list_names(names)}: allowed before Linux 4.8 as well, where it voids the filter",
            ", ".join(value.value for value in names),
            remedies=(
                Remedy(
                    f"take {list_names(names)} off the list",
                    safe=False,
                    changes=tuple(Remove(value) for value in names),
                    caution="gdb, strace and delve stop working",
                ),
            ),
        )
