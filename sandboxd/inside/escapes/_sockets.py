"""The paths inside at which sockets of the host's daemons turn up."""

from __future__ import annotations

import os
import stat

from sandboxd.inside.escapes._kernel import mount_points

_USUAL = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
)
_OWN = ("/", "/proc", "/sys", "/dev", "/tmp")


def candidates() -> list[str]:
    """Socket files at the usual places, and mounted ones, or ones just inside a mounted folder."""
    paths = list(_USUAL)
    for name in ("DOCKER_HOST", "SSH_AUTH_SOCK", "CONTAINER_HOST"):
        value = os.environ.get(name, "")
        paths.append(value[7:] if value.startswith("unix://") else value)
    for point in mount_points():
        paths.append(point)
        if point not in _OWN and not point.startswith(("/proc/", "/sys/", "/dev/")):
            paths += _inside(point)
    sockets = []
    for path in paths:
        real = os.path.realpath(path) if path else ""
        if real and real not in sockets and _is_socket(real):
            sockets.append(real)
    return sockets


def _inside(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:500]]
    except OSError:
        return []


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
