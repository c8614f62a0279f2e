"""Finds the resources of the host that other services of a Compose project reach, if Compose starts them as written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from sandboxd.model.container import Build, Container, Mount
from sandboxd.model.paths import lies_in, overlap
from sandboxd.plan.workspace import WorkspaceFacts

# The engine's own, and two that databases ask for and that reach nothing of the host.
_HARMLESS = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "IPC_LOCK",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
        "SYS_NICE",
    }
)
_DEVICE = "volume-opt=device="
_HOST_BUILD = ("allow", "build-context", "ssh")


def weakness(sidecar: Container, workspace: WorkspaceFacts) -> str:
    """The worst access to the host that a service has, as a predicate to put behind its name; '' for none."""
    return next(_weak(sidecar, workspace), "")


def _weak(sidecar: Container, workspace: WorkspaceFacts) -> Iterator[str]:
    if sidecar.is_privileged():
        yield "is privileged"
    if sidecar.api_socket is not None and sidecar.api_socket.value:
        yield "controls the engine"
    for mount in sidecar.mounts:
        if what := _mounts(mount.value, workspace):
            yield f"mounts `{mount.written}`, {what}"
    for space in (
        sidecar.pid,
        sidecar.network,
        sidecar.ipc,
        sidecar.uts,
        sidecar.userns,
        sidecar.cgroupns,
    ):
        if space is not None and (space.value == "host" or space.value.startswith("container:")):
            yield f"has `{space.origin.key}: {space.value}`"
    for capability in sidecar.cap_add:
        if capability.value not in _HARMLESS:
            yield f"adds the capability `{capability.value}`"
    if sidecar.devices or sidecar.device_cgroup_rules or sidecar.gpus is not None:
        yield "has devices of the host"
    for option in sidecar.security_opt:
        if "unconfined" in option.value.value or option.value.value == "disable":
            yield f"has no filter: `{option.written}`"
    if any(source.value.startswith("container:") for source in sidecar.volumes_from):
        yield "takes the volumes of another container"
    if sidecar.provider is not None:
        yield f"is a program of the host: `{sidecar.provider.value}`"
    if any(hook.value.privileged for hook in sidecar.hooks):
        yield "runs a privileged command"
    if sidecar.build is not None and (what := _builds(sidecar.build.value, workspace)):
        yield what


def _mounts(mount: Mount, workspace: WorkspaceFacts) -> str:
    """The part of the host or of other projects that a mount shows, in words; '' for none."""
    source = mount.source
    if mount.type == "volume":
        if source.startswith("sandboxd-"):
            return "which stands for a folder of the host"
        devices = [o.removeprefix(_DEVICE) for o in mount.options if o.startswith(_DEVICE)]
        if not devices or not devices[0].startswith(("/", "~", "$")):
            return ""
        source = devices[0]
    elif mount.type == "tmpfs":
        return ""
    if not source.startswith("/"):
        return "which is not known to lie in the project"
    source = posixpath.normpath(source)
    if not lies_in(source, workspace.path):
        return "which lies outside of the project"
    if posixpath.relpath(source, workspace.path) in workspace.sockets:
        return "a socket of the host's"
    pinned = [posixpath.join(workspace.path, file.path) for file in workspace.control_files]
    if not mount.read_only and any(overlap(p, source) for p in pinned):
        return "so it can write what is read-only in the sandbox"
    return ""


def _builds(build: Build, workspace: WorkspaceFacts) -> str:
    for option in build.options:
        name, value = option.value
        if name in _HOST_BUILD or (name == "network" and value == "host"):
            return f"is built with `{name}={value}`"
    context = build.context.value if build.context is not None else ""
    if context.startswith("/") and not lies_in(posixpath.normpath(context), workspace.path):
        return "is built from a folder outside of the project"
    return ""
