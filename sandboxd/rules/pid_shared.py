"""The container shares the processes of another one.

## What it is

`--pid=container:NAME`, or Compose `pid: service:NAME`.

## Why it is bad

Either sees, signals and, as the same user, traces the processes of the other, and reads its
files through `/proc/PID/root`. Two sandboxes become one, as weak as the weaker.

    cat /proc/1/environ; ls /proc/1/root/    # the other container's secrets and files

## What to do instead

Remove it. For debugging another service, attach for as long as it takes: `docker debug`, or
`docker run --pid=container:...` by hand.

## Under gVisor

Both have to run in one gVisor sandbox for it, which docker does not do; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#pid
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="pid-shared",
    summary="the processes of another container are shared",
    severity=Severity.WARNING,
    since="0.1.0",
    why="either reads the other's memory, files and environment",
    needs=(Mentions("pid", "container:"), Mentions("pid", "service:")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.pid
    if value is None or not value.value.startswith(("container:", "service:")):
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` joins the processes of another container: its memory and files are open",
        value.value,
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
        (
            Remedy(
                "keep the processes apart",
                safe=False,
                changes=(Remove(value),),
                caution="the other container's processes cannot be seen",
            ),
        ),
    )
