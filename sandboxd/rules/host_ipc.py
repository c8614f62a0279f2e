"""The container shares memory segments with the host.

## What it is

`--ipc=host`, Compose `ipc: host`; or `--ipc=container:NAME` with another container. Deep
learning images ask for it because the shared memory of a container is 64 MB.

## Why it is bad

Shared memory and message queues of the host's programs are open by user id, and in a container
the ids are the same: browsers, databases and the display server keep data there.

    ls -l /dev/shm; ipcs -m    # the host's segments

It also shares `/dev/shm`, through which a program of the host can be fed.

## What to do instead

Give the container shared memory of its own: `--shm-size=8g`.

## Under gVisor

Segments and queues are gVisor's own, but the engine mounts the host's `/dev/shm` all the same, and
what lies there is read and written: a warning.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#ipc
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-ipc",
    summary="memory segments are shared with the host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="shared memory of the host's programs can be read and written",
    needs=(Field("ipc"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.ipc
    if value is None:
        return
    if value.value == "host":
        severity, sandboxed, whose = Severity.ERROR, Severity.WARNING, "the host"
    elif value.value.startswith(("container:", "service:")):
        severity, sandboxed, whose = Severity.HINT, Severity.HINT, "another container"
    else:
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` opens the shared memory of {whose} to the container",
        value.value,
        kernel_severity(subject, host, severity, sandboxed),
        (
            Remedy(
                "keep shared memory apart",
                safe=False,
                changes=(Remove(value),),
                caution="programs with much shared memory need `--shm-size=8g`",
            ),
        ),
    )
