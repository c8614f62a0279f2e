"""The control socket of a container engine is mounted into the container.

## What it is

A mount of `docker.sock`, of the sockets of Podman, containerd, CRI-O or BuildKit, of the Windows
pipe `docker_engine`, or of a folder such as `/run` that holds one of them.

## Why it is bad

Whoever can write to the socket can ask the engine for a second container, privileged and with
the host's disk mounted, and so owns the host:

    curl --unix-socket /var/run/docker.sock -d '{"Image":"alpine","HostConfig":{"Binds":["/:/h"]}}' \\
         -H 'Content-Type: application/json' http://x/containers/create

`:ro` does not help: it protects the socket file, not the engine behind it. A proxy that filters
requests narrows the way, but it is not a boundary.

## What to do instead

Remove the mount. To build images, give the workspace a daemon of its own in a virtual machine,
or a builder without root (`buildctl`, `kaniko`, `podman build`). To test against services, start
them from the host and join a network.

## Under gVisor

gVisor refuses to connect to sockets of the host, so `docker` inside only fails. It is a warning
there, and an error again when `host-uds` is on, which the annotation
`dev.gvisor.flag.host-uds=open` does from inside the config.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/#docker-daemon-attack-surface
- https://gvisor.dev/docs/user_guide/faq/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import host_sockets_open, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="docker-socket-mounted",
    summary="the control socket of a container engine is mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="through it anyone inside starts a privileged container and owns the host",
    needs=(Field("mounts"),),
)

_SOCKETS = (
    "docker.sock",
    "docker.sock.raw",
    "docker-cli.sock",
    "podman.sock",
    "containerd.sock",
    "crio.sock",
    "cri-dockerd.sock",
    "buildkitd.sock",
)
_PIPES = ("//./pipe/docker_engine", "//./pipe/dockerdesktoplinuxengine", "//./pipe/podman")
_FOLDERS = (
    "/run",
    "/run/user",
    "/run/docker",
    "/run/podman",
    "/run/containerd",
    "/run/crio",
    "/run/buildkit",
    "~/.docker/run",
    "~/.docker/desktop",
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    reached = shares_kernel(subject, host) or host_sockets_open(subject, host)
    for mount, path in host_mounts(subject, host):
        if _is_socket(path) and not within_workspace(mount, path, subject):
            message = f"`{mount.written}` hands the container control over the host's engine"
        elif path in _FOLDERS or _is_user_folder(path):
            message = f"`{mount.written}` holds the sockets of the host's container engines"
        else:
            continue
        yield at_value(
            META,
            mount,
            message,
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


def _is_socket(path: str) -> bool:
    return path.rpartition("/")[2] in _SOCKETS or path in _PIPES


def _is_user_folder(path: str) -> bool:
    """`/run/user/1000`: the runtime folder of a user holds the sockets of rootless engines."""
    parts = path.split("/")
    return parts[:3] == ["", "run", "user"] and (
        len(parts) == 4 or (len(parts) == 5 and parts[4] in ("podman", "docker"))
    )
