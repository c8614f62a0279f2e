"""A volume is a folder of the host in disguise.

## What it is

A volume of the local driver with `o: bind` and a `device`, in Compose `driver_opts` or as
`volume-opt` of a mount.

## Why it is bad

It reads like a volume that the engine keeps, and shows a folder of the host. Tools that look for
bind mounts do not see it, and it stays after the file was changed, until the volume is removed.

## What to do instead

Write it as what it is: `type=bind,source=/path`.

## Under gVisor

No difference: it is a bind mount.

## References

- https://docs.docker.com/reference/cli/docker/volume/create/#opt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, host_mounts
from sandboxd.rules._needs import Has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="volume-driver-opts-bind",
    summary="a volume is a folder of the host in disguise",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it reads like a volume and shows a folder of the host",
    needs=(Has("mounts", "volume"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    workspace = canonical(subject.workspace or "${localWorkspaceFolder}", host.home)
    for mount, path in host_mounts(subject, host):
        if mount.value.type != "volume" or lies_in(path, workspace):
            continue
        # Relative to where Compose is called, which is the project.
        if mount.written.startswith(("$PWD/", "${PWD}/")) and ".." not in mount.written:
            continue
        if path.startswith("$") or not path.startswith(("/", "~")):
            continue
        yield at_value(
            META,
            mount,
            f"this volume is the host's folder `{path}`",
            path,
        )
