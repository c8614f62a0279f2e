"""Devices and sockets of the host that no sandbox has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

_DEVICE = re.compile(
    r"(/dev/(?:fuse|kvm|net/tun|dri/\w+|loop-control|snd/\w+|video\d+|ttyUSB\d+))\b.{0,200}No such file or directory"
    r"|(?:No such file or directory|ENOENT: [^']*)'?(/dev/(?:fuse|kvm|net/tun|dri/\w+|snd/\w+|video\d+|ttyUSB\d+))\b"
    r"|fuse: device (/?dev/fuse )?not found|Could not access KVM kernel module"
)
# The Docker client, and what Testcontainers says.
_ENGINE = re.compile(
    r"Cannot connect to the Docker daemon at |Could not find a valid Docker environment"
    r"|dial unix /(?:var/)?run/docker\.sock: connect: no such file"
)
_ENGINE_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a program looks for a device or the engine's socket, and the sandbox has it not."""
    if hit := find_line(failure, _DEVICE):
        name = hit[1] or hit[2] or ("/dev/kvm" if "KVM" in hit[0] else "/dev/fuse")
        if not any(each.value.target == name for each in sandbox.container.devices):
            because = (
                f"the sandbox has no device `{name}`: of the host's devices only GPUs can be given"
            )
            yield Answer("devices", because, "sandboxd", "", "", is_certain=True)
    if find_line(failure, _ENGINE) and not any(
        mount.value.source.endswith(_ENGINE_SOCKETS) for mount in sandbox.container.mounts
    ):
        because = "the engine's socket does not enter: whoever has it is root on this machine"
        yield Answer("sockets of the host", because, "sandboxd", "", "", is_certain=True)
