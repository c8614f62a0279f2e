"""The container shares the host's processes.

## What it is

`--pid=host` in `runArgs`.

## Why it is bad

Every process of the host is visible with its command line, in which tokens often stand. Root
inside can signal them, and read `/proc/PID/environ` and `/proc/PID/root` of processes with the
same user id. With SYS_PTRACE added it can read and change the memory of each of them:

    nsenter -t 1 -m -- sh    # with SYS_ADMIN: a shell on the host
    gdb -p "$(pgrep -o sshd)"

## What to do instead

Remove it. To debug another container, share that one's namespace: `--pid=container:NAME`. To look
at the host, use the host.

## Under gVisor

gVisor keeps its own process table and shows nothing of the host, so it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#pid
- https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Related, Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-pid",
    summary="the container shares the host's processes",
    severity=Severity.ERROR,
    since="0.1.0",
    why="command lines, environments and, with SYS_PTRACE, the memory of host processes are open",
    needs=(Has("pid", "host"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.pid
    if value is None or value.value != "host":
        return
    tracing = [cap for cap in subject.cap_add if cap.value in ("SYS_PTRACE", "SYS_ADMIN", "ALL")]
    power = "can see and signal"
    if subject.is_privileged() or tracing:
        power = "can take over"
    yield at_value(
        META,
        value,
        f"the container {power} every process of the host",
        "host",
        kernel_severity(subject, host, Severity.ERROR, Severity.HINT),
        (
            Remedy(
                "use a process namespace of the container's own",
                safe=False,
                changes=(Remove(value),),
                caution="processes of the host can no longer be inspected from inside",
            ),
        ),
        tuple(Related(cap.place, "which allows to trace them") for cap in tracing if cap.place),
    )
