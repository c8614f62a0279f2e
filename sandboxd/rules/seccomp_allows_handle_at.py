"""The profile lets everybody open files by handle.

## What it is

`open_by_handle_at` is allowed without `includes.caps`.

## Why it is bad

This is the `shocker` escape: handles are small numbers that can be guessed, and one of them opens
any file of the file system that the container's own files stand on, `/etc/shadow` of the host among
them. The kernel asks for DAC_READ_SEARCH; since Linux 6.11 a process that is root in a user
namespace of its own passes in some cases.

    open_by_handle_at(mount_fd, &root_inode, O_RDONLY)

## What to do instead

Take it off the list. Docker's own list ties it to CAP_DAC_READ_SEARCH.

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man2/open_by_handle_at.2.html
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
    id="seccomp-allows-handle-at",
    summary="the profile lets everybody open files by handle",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a file handle names any file of the disk, inside or outside of the container",
)

_CALLS = ("open_by_handle_at",)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "a handle opens files of the host",
        "user-space file servers stop working",
    )
