"""The profile allows io_uring.

## What it is

`io_uring_setup`, `io_uring_enter` or `io_uring_register` is allowed.

## Why it is bad

A ring opens files, connects and sends without the system calls of those names, so the rest of the
list says nothing about it. It was behind most kernel exploits that Google paid for in 2022 and
2023, which is why Docker took it off its list and ChromeOS switched it off.

    io_uring_setup(8, &params)    # then IORING_OP_OPENAT instead of openat

## What to do instead

Take the names off the list: node, libuv, databases and build tools fall back to epoll by
themselves.

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://security.googleblog.com/2023/06/learnings-from-kctf-vrps-42-linux.html
- https://github.com/moby/moby/pull/46762
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
    id="seccomp-allows-io-uring",
    summary="the profile allows io_uring",
    severity=Severity.WARNING,
    since="0.1.0",
    why="io_uring does what other calls do, past the filter, and has had dozens of kernel bugs",
)

_CALLS = (
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "rings reach the kernel past this filter",
        "programs fall back to epoll, some slower",
    )
