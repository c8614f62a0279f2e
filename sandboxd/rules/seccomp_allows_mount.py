"""The profile lets everybody mount.

## What it is

`mount`, `umount2`, `pivot_root` or one of the newer calls (`fsopen`, `fsconfig`, `fsmount`,
`move_mount`, `open_tree`, `mount_setattr`) is allowed without `includes.caps`.

## Why it is bad

The kernel still asks for the capability, but over a user namespace that a process makes itself it
has them all. CVE-2022-0185, a write past the end of a buffer in `fsconfig`, needed just that:

    unshare -Urm sh -c 'mount -t tmpfs none /mnt'

Docker's own list allows these calls only together with the capability SYS_ADMIN.

## What to do instead

Take the names off the list. If the container is given SYS_ADMIN on purpose, tie them to it:

    {"names": ["mount", "umount2"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://nvd.nist.gov/vuln/detail/CVE-2022-0185
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
    id="seccomp-allows-mount",
    summary="the profile lets everybody mount",
    severity=Severity.ERROR,
    since="0.1.0",
    why="mounting is the first step of most escapes, and undoes what is mounted read-only",
)

_CALLS = (
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "everybody may mount, which in a user namespace needs no right of the host",
        "mounting inside stops working",
    )
