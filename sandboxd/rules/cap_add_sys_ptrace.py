"""The capability SYS_PTRACE is added.

## What it is

`"capAdd": ["SYS_PTRACE"]` or `--cap-add=SYS_PTRACE`, which old instructions for debuggers ask
for, mostly together with `seccomp=unconfined`.

## Why it is bad

It lets root inside trace processes of other users of the container. That alone reaches nobody
outside; the harm is mostly in what is copied along. With the host's process namespace, it reads
and writes the memory of every process of the host: an error.

    gdb -p $(pgrep ssh-agent)    # the host's one, with --pid=host

## What to do instead

Remove it: since kernel 4.8, `gdb`, `lldb`, `strace` and Delve trace their own user's processes
without any capability, under runc and under gVisor. If attaching to a process that is no child
fails, `kernel.yama.ptrace_scope` of the host is the reason.

## Under gVisor

Tracing stays within gVisor's kernel; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://docs.kernel.org/admin-guide/LSM/Yama.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-add-sys-ptrace",
    summary="the capability SYS_PTRACE is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="debuggers do not need it, and with the host's processes in sight it reads all their memory",
    needs=(Has("cap_add", "SYS_PTRACE"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    sees_host = subject.pid is not None and subject.pid.value == "host"
    for value in subject.cap_add:
        if value.value != "SYS_PTRACE":
            continue
        if sees_host:
            message = f"`{value.written}` with the host's processes in sight reads all their memory"
        else:
            message = f"`{value.written}` is not needed to debug one's own processes"
        yield at_value(
            META,
            value,
            message,
            "SYS_PTRACE",
            kernel_severity(
                subject, host, Severity.ERROR if sees_host else Severity.HINT, Severity.HINT
            ),
            (
                Remedy(
                    "do not add SYS_PTRACE",
                    safe=False,
                    changes=(Remove(value),),
                    caution="attaching to another user's process stops working",
                ),
            ),
        )
