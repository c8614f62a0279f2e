"""The capability SYS_ADMIN is added.

## What it is

`"capAdd": ["SYS_ADMIN"]` or `--cap-add=SYS_ADMIN`, in any spelling that docker takes.

## Why it is bad

SYS_ADMIN is the new root: mounting, `bpf`, `setns`, quotas, and hundreds of `ioctl`s are behind
it, and docker's seccomp profile opens the matching system calls as soon as it is added. With
cgroup v1, a mount and one file are enough to run a command on the host (CVE-2022-0492); the bug
class of CVE-2022-0185 needs it, too.

    mount -t cgroup -o rdma cgroup /tmp/c && echo /cmd > /tmp/c/release_agent

## What to do instead

Find out what asks for it:

- A debugger or profiler: needs no SYS_ADMIN; `--cap-add=PERFMON` for `perf`.
- FUSE: `--device=/dev/fuse` inside a user namespace.
- Docker inside: a daemon of its own in a virtual machine, or gVisor.
- A sandbox inside (bubblewrap, Chromium): user namespaces, which need no capability; for bubblewrap
  `nested_sandbox` in sandboxd.toml opens the calls.

Where a hook or the image of the project needs it itself, no fix is offered: it would break the project.

## Under gVisor

The capability is virtual and the host is not reached. But code that has it can mount over and
re-mount what is pinned read-only in the workspace, so it stays a warning.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://nvd.nist.gov/vuln/detail/CVE-2022-0492
- https://nvd.nist.gov/vuln/detail/CVE-2022-0185
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import user_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-add-sys-admin",
    summary="the capability SYS_ADMIN is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it opens mounting and a large part of the kernel: known escapes start there",
    needs=(Has("cap_add", "SYS_ADMIN"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.cap_add:
        if value.value != "SYS_ADMIN":
            continue
        user = user_of(subject, "SYS_ADMIN")
        message = (
            f"`{value.written}` lets the container mount, and call most of what the kernel has"
        )
        yield at_value(
            META,
            value,
            f"{message}; there is no fix, as {user} needs it" if user else message,
            "SYS_ADMIN",
            kernel_severity(subject, host, Severity.ERROR, Severity.WARNING),
            ()
            if user
            else (
                Remedy(
                    "do not add SYS_ADMIN",
                    safe=False,
                    changes=(Remove(value),),
                    caution="mounting, FUSE and sandboxes inside stop working",
                ),
            ),
        )
