"""The profile allows calls that change the running kernel.

## What it is

`init_module`, `finit_module`, `delete_module`, `kexec_load`, `kexec_file_load`, `reboot`, `swapon`,
`swapoff`, `acct`, `iopl` or `ioperm` is allowed without `includes.caps`.

## Why it is bad

These calls act on the machine and know no namespaces. The kernel asks for a capability, and the
list is what holds when a container has one too many (`--privileged` copied from somewhere):

    insmod rootkit.ko

No program in a development container needs them.

## What to do instead

Take the names off the list. Docker's own list allows each only together with its capability.

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man7/capabilities.7.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._seccomp import open_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-allows-module-kexec-reboot",
    summary="the profile allows calls that change the running kernel",
    severity=Severity.ERROR,
    since="0.1.0",
    why="one capability too many is then all it takes to load code into the kernel",
)

_CALLS = (
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "iopl",
    "ioperm",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "these act on the whole machine",
        "nothing that a development container does",
    )
