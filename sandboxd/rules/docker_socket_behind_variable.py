"""A variable decides which file is mounted as the engine's socket.

## What it is

A mount onto `/var/run/docker.sock` (or another engine's socket), or of a variable whose name
says socket, where the variable's value is not known here.

## Why it is bad

It is the engine's socket on every machine where the variable says so, and reviewers and tools
that look for `docker.sock` on the left side do not find it. See docker-socket-mounted for what
it opens.

## What to do instead

Remove the mount. If another socket is meant, mount it under its own name.

## Under gVisor

gVisor refuses to connect to sockets of the host; it is a warning, as long as `host-uds` is off.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/#docker-daemon-attack-surface
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts
from sandboxd.rules._needs import Mentions
from sandboxd.rules._runtime import host_sockets_open, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="docker-socket-behind-variable",
    summary="a variable is mounted as the engine's socket",
    severity=Severity.ERROR,
    since="0.1.0",
    why="wherever the variable names the engine's socket, anyone inside owns the host",
    needs=(Mentions("mounts", "$"),),
)


_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
_NAMES = ("DOCKER_SOCK", "DOCKER_HOST", "PODMAN_SOCK", "CONTAINERD_SOCK")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    reached = shares_kernel(subject, host) or host_sockets_open(subject, host)
    for mount, path in host_mounts(subject, host):
        if not path.startswith(("$", "~$")) or path.endswith(_SOCKETS):
            continue
        onto_socket = mount.value.target.endswith(_SOCKETS)
        if not onto_socket and not any(name in path.upper() for name in _NAMES):
            continue
        if path.startswith("${localWorkspaceFolder}"):
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` becomes the engine's socket inside: its value decides what that opens",
            path,
            Severity.ERROR if reached else Severity.WARNING,
            (
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution="`docker` inside the container stops working",
                ),
            ),
        )
