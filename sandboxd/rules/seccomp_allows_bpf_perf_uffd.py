"""The profile allows bpf, perf events or userfaultfd.

## What it is

`bpf`, `perf_event_open` or `userfaultfd` is allowed without `includes.caps`.

## Why it is bad

The verifier of `bpf` and the perf subsystem are large, old and exposed: CVE-2021-3490,
CVE-2023-2163, CVE-2022-1729. `userfaultfd` makes races winnable: with it a process halts the kernel
in the middle of copying memory for as long as it likes.

    int fd = syscall(SYS_userfaultfd, 0);

Some kernels ask for no capability at all.

## What to do instead

Take the names off the list, or tie `bpf` and `perf_event_open` to CAP_BPF and CAP_PERFMON as
docker's list does. Profile on the host, or with a profiler that samples in user space.

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://nvd.nist.gov/vuln/detail/CVE-2023-2163
- https://lwn.net/Articles/819834/
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
    id="seccomp-allows-bpf-perf-uffd",
    summary="the profile allows bpf, perf events or userfaultfd",
    severity=Severity.WARNING,
    since="0.1.0",
    why="these calls have been a part of most kernel exploits of the last years",
)

_CALLS = (
    "bpf",
    "perf_event_open",
    "userfaultfd",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "large parts of the kernel are open that exploits build on",
        "`perf`, `bpftrace` and checkpointing stop working",
    )
