"""An annotation opens the host's sockets to gVisor.

## What it is

The annotation `dev.gvisor.flag.host-uds` with `open` or `all` (or `create`, a warning).

## Why it is bad

gVisor refuses to connect to Unix sockets of the host that are mounted. The annotation takes that
away, from inside the config, and needs no permission of the engine: a mounted `docker.sock`
answers again.

    docker run --runtime=runsc --annotation dev.gvisor.flag.host-uds=open -v /var/run/docker.sock:...

## What to do instead

Remove it. What has to talk to the host can use a port.

## Under gVisor

This is about gVisor only; elsewhere it has no effect.
Seen with runsc 20240729.

## References

- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
- https://github.com/google/gvisor/issues/6211
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="gvisor-annotation-host-uds",
    summary="an annotation opens the host's sockets to gVisor",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what is mounted from the host as a socket answers again, docker.sock included",
    needs=(Field("annotations"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.annotations:
        name, text = value.value
        if name != "dev.gvisor.flag.host-uds" or text not in ("open", "all", "create"):
            continue
        opened = text != "create"
        does = "connect to sockets of the host" if opened else "make sockets on the host"
        yield at_value(
            META,
            value,
            f"`{text}` lets the sandbox {does}",
            f"host-uds={text}",
            Severity.ERROR if opened else Severity.WARNING,
            (
                Remedy(
                    "keep the host's sockets closed",
                    safe=False,
                    changes=(Remove(value),),
                    caution="programs inside cannot use mounted sockets",
                ),
            ),
        )
