"""Writes a plan as the service of a Compose project.

The service replaces (`!override`) the one of the project's own files: Compose would otherwise add
our lists to theirs, and a mounted socket or an added capability would stay. Needs Compose 2.24.4.
"""

from __future__ import annotations

import json
import posixpath
from typing import Any

from sandboxd.errors import UsageError
from sandboxd.model.container import Build, Mount
from sandboxd.model.gpus import devices
from sandboxd.model.labels import EDITOR, MADE_BY
from sandboxd.plan import subpath_mounts
from sandboxd.plan.compose import ComposeProject, build_arguments
from sandboxd.plan.plan import Plan
from sandboxd.plan.volumes import written_name
from sandboxd.plan.writers import _compose_services
from sandboxd.plan.writers._flags import is_tmpfs_flag, tmpfs_text

_SUBPATH = "volume-subpath="
SECCOMP_FILE = ".devcontainer/sandboxd/seccomp.json"


def render(plan: Plan) -> str:
    """The text of the file, without the header that `plan.generate` adds.

    :raises UsageError: the workspace of the plan is not a service of a Compose project
    """
    project = plan.compose
    if project is None:
        raise UsageError("the project does not use Docker Compose", "there is nothing to override")
    service = _service(plan, project)
    lines = ["services:", f"  {_text(project.service)}: !override"]
    lines += [f"    {key}: {_text(value)}" for key, value in service.items()]
    seccomp = _relative(project, SECCOMP_FILE) if plan.seccomp_path else ""
    lines += _compose_services.lines(plan, seccomp)
    volumes = {
        _volume(plan, mount): _pin(mount) if mount.source.startswith("sandboxd-") else {}
        for mount in _mounts(plan)
        if mount.type == "volume"
    }
    if volumes:
        lines += ["volumes:"]
        # Driver options that the project's own files give a volume could make it any folder.
        lines += [f"  {_text(name)}: !override {_text(volume)}" for name, volume in volumes.items()]
    return "\n".join([*lines, ""])


def _text(value: Any) -> str:
    """A string for the override file. JSON is YAML; a dollar sign would start a variable."""
    return json.dumps(value, ensure_ascii=False).replace("$", "$$")


def _service(plan: Plan, project: ComposeProject) -> dict[str, Any]:
    container = plan.container
    service: dict[str, Any] = {}
    if container.image is not None:
        service["image"] = container.image.value
    elif project.build is not None:
        service["build"] = _build(plan, project, project.build)
    if container.runtime is not None:
        service["runtime"] = container.runtime.value
    if container.user is not None:
        service["user"] = container.user.value
    service["cap_drop"] = [v.value for v in container.cap_drop]
    service["cap_add"] = [v.value for v in container.cap_add]
    service["security_opt"] = [
        f"seccomp={_relative(project, SECCOMP_FILE)}"
        if v.value.name == "seccomp"
        else f"{v.value.name}={v.value.value}"
        for v in container.security_opt
    ]
    service["read_only"] = bool(container.read_only_rootfs and container.read_only_rootfs.value)
    service["entrypoint"] = []
    service["command"] = list(container.command)
    if container.working_dir is not None:
        service["working_dir"] = container.working_dir.value
    if container.init is not None:
        service["init"] = container.init.value
    if container.stop_signal is not None:
        service["stop_signal"] = container.stop_signal.value
    mounts = _mounts(plan)
    service["volumes"] = [_mount(plan, project, m) for m in mounts if not is_tmpfs_flag(m)]
    service["tmpfs"] = [tmpfs_text(m) for m in mounts if is_tmpfs_flag(m)]
    for key, pairs in (
        ("environment", container.env),
        ("annotations", container.annotations),
        ("labels", container.labels),
    ):
        service[key] = {v.value.name: v.value.value for v in pairs}
    service["labels"][MADE_BY] = EDITOR
    if container.gpus is not None:
        service["deploy"] = {
            "resources": {"reservations": {"devices": [_gpus(container.gpus.value)]}}
        }
    service["depends_on"] = _compose_services.needs(plan)
    service |= _network(plan, project)
    service |= _limits(plan)
    return {key: value for key, value in service.items() if value not in ([], {}, False)} | {
        # An empty entrypoint is not none: none is the image's.
        "entrypoint": []
    }


def _network(plan: Plan, project: ComposeProject) -> dict[str, Any]:
    network = plan.container.network
    if network is not None and network.value == "none":
        return {"network_mode": "none"}
    if not project.networks and "default" in project.foreign_networks:
        return {"network_mode": "bridge"}
    return {"networks": list(project.networks)}


def _gpus(value: str) -> dict[str, Any]:
    """Graphics processors in the form that Compose has had longest (`gpus` came with 2.30)."""
    named = list(devices(value))
    return ({"device_ids": named} if named else {"count": "all"}) | {"capabilities": ["gpu"]}


def _limits(plan: Plan) -> dict[str, Any]:
    container = plan.container
    limits: dict[str, Any] = {}
    if container.memory is not None:
        limits["mem_limit"] = container.memory.value
    if container.cpus is not None:
        limits["cpus"] = float(container.cpus.value)
    if container.pids_limit is not None:
        limits["pids_limit"] = container.pids_limit.value
    if container.ulimits:
        limits["ulimits"] = {
            v.value.name: {"soft": int(soft), "hard": int(hard)}
            for v in container.ulimits
            for soft, _, hard in (v.value.value.partition(":"),)
        }
    if container.log_driver is not None:
        limits["logging"] = {
            "driver": container.log_driver.value,
            "options": {v.value.name: v.value.value for v in container.log_options},
        }
    return limits


def _build(plan: Plan, project: ComposeProject, build: Build) -> dict[str, Any]:
    """The options of the build; others than these can open the host, and are left out."""
    options: dict[str, Any] = {
        "context": _path(plan, project, build.context and build.context.value)
    }
    if build.dockerfile is not None:
        options["dockerfile"] = build.dockerfile.value
    if build.target is not None:
        options["target"] = build.target.value
    arguments = build_arguments(build)
    return options | ({"args": arguments} if arguments else {})


def _mounts(plan: Plan) -> list[Mount]:
    return [subpath_mounts.of_other_tools(value.value, plan) for value in plan.container.mounts]


def _mount(plan: Plan, project: ComposeProject, mount: Mount) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": mount.type, "target": mount.target}
    if mount.type == "bind":
        entry["source"] = _path(plan, project, mount.source)
        entry["bind"] = {"create_host_path": False}
    elif mount.source:
        entry["source"] = _volume(plan, mount)
    if mount.read_only:
        entry["read_only"] = True
    if mount.type == "volume" and "volume-nocopy" in mount.options:
        entry["volume"] = {"nocopy": True}
        for option in mount.options:
            if option.startswith(_SUBPATH):
                entry["volume"]["subpath"] = option.removeprefix(_SUBPATH)
    return entry


def _volume(plan: Plan, mount: Mount) -> str:
    """The key of a volume: that of the project's own files if other services name it, too."""
    return written_name(mount.source, plan.workspace)


def _pin(mount: Mount) -> dict[str, Any]:
    """The definition of a volume; one of ours has its own name, so that it is the same for every tool.

    One of the project's has no name here: Compose then gives it one with the project's name.
    """
    volume: dict[str, Any] = {"name": mount.source}
    options: dict[str, str] = {}
    for option in mount.options:
        key, _, value = option.partition("=")
        name, _, text = value.partition("=")
        if key == "volume-opt":
            options[name] = text
        elif key == "volume-label":
            volume.setdefault("labels", {})[name] = text
        elif key == "volume-driver":
            volume["driver"] = value
    return volume | ({"driver_opts": options} if options else {})


def _relative(project: ComposeProject, path: str) -> str:
    """A path of the workspace as Compose resolves it: from the folder of the first file."""
    first = posixpath.dirname(project.files[0]) if project.files else ""
    relative = posixpath.relpath(path, first or ".")
    return relative if relative.startswith(".") else f"./{relative}"


def _path(plan: Plan, project: ComposeProject, path: str | None) -> str:
    """A host path, relative where it lies in the workspace, so that it holds on every machine."""
    if path is None or path == plan.workspace:
        return _relative(project, ".")
    if path.startswith(plan.workspace + "/"):
        return _relative(project, path[len(plan.workspace) + 1 :])
    return path
