"""Writes a plan as the body of the engine's `POST /containers/create`."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sandboxd.credentials.uses import environment
from sandboxd.errors import UsageError
from sandboxd.files import read_source
from sandboxd.model.container import Container, Mount
from sandboxd.model.gpus import devices
from sandboxd.model.labels import EGRESS, NAMED, PLAN
from sandboxd.plan.git_settings import with_settings
from sandboxd.plan.lasting import Lasting, variables
from sandboxd.plan.layout import MARK_FOLDER, SOURCE
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers._flags import is_tmpfs_flag

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import CreateRequest, DeviceRequest, HostConfig, MountRequest


def arguments(plan: Plan) -> CreateRequest:
    """The body of the create request; it has a label with the plan's fingerprint.

    :raises UsageError: the project names no image
    """
    body = _body(plan)
    body["Labels"][PLAN] = _digest(body)
    return body


def fingerprint(plan: Plan) -> str:
    """A digest of the container that the plan asks for, equal for equal containers."""
    return _digest(_body(plan))


def _digest(body: CreateRequest) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _body(plan: Plan) -> CreateRequest:
    container = plan.container
    image = plan.image()
    if not image:
        raise UsageError(
            "no image is named, and nothing to build one from",
            'name one in sandboxd.toml: `image = "..."`',
        )
    body: CreateRequest = {
        "Image": image,
        "Entrypoint": [],
        "Cmd": list(container.command),
        "Env": _environment(plan),
        "Labels": {v.value.name: v.value.value for v in container.labels},
        "HostConfig": _host_config(plan),
    }
    if plan.egress is not None:
        # `up` puts it on the network of its gateway; which rules hold there is no part of a container.
        body["Labels"][EGRESS] = container.name
        shared = next((service.name for service in plan.services if service.shares), "")
        if name := shared or (plan.compose.own_name if plan.services and plan.compose else ""):
            body["Labels"][NAMED] = name
    if container.user is not None:
        body["User"] = container.user.value
    if container.stop_signal is not None:
        body["StopSignal"] = container.stop_signal.value
    if container.working_dir is not None:
        body["WorkingDir"] = container.working_dir.value
    return body


def _environment(plan: Plan) -> list[str]:
    """The variables inside; those that point tools at the gateway only where there is one."""
    lines = [f"{v.value.name}={v.value.value}" for v in plan.container.env]
    lines += variables(plan.lasting, [line.partition("=")[0] for line in lines])
    if plan.git:
        lines = with_settings(lines, plan.git)
    if plan.egress is None or not plan.credentials:
        return lines
    added = environment(plan.credentials, plan.workspace, lines)
    names = {line.partition("=")[0] for line in added}
    return [line for line in lines if line.partition("=")[0] not in names] + added


def _host_config(plan: Plan) -> HostConfig:
    container = plan.container
    own = volumes = {place.target for place in plan.lasting}
    if any(place.kind == "copy" for place in plan.lasting):
        # The host knows whether a copy that lasts is whole.
        own = own | {MARK_FOLDER}
    if plan.prepare:
        # `up` sends the copy from the host, without what is hidden.
        own = own | {SOURCE}
    if plan.synced is not None:
        own = own | plan.synced.replaces
    mounts = [v.value for v in container.mounts if v.value.target not in own]
    config: HostConfig = {
        "CapDrop": [v.value for v in container.cap_drop],
        "CapAdd": [v.value for v in container.cap_add],
        "SecurityOpt": security_options(container),
        "Mounts": [
            *(_mount(mount) for mount in mounts if not is_tmpfs_flag(mount)),
            *(_lasting(place) for place in plan.lasting),
            *(() if plan.repository is None or plan.prepare else (_mount(plan.repository),)),
        ],
    }
    tmpfs = [mount for mount in mounts if is_tmpfs_flag(mount)]
    if plan.synced is not None and plan.synced.target not in volumes:
        tmpfs.append(plan.synced.memory)
    if tmpfs:
        config["Tmpfs"] = {mount.target: ",".join(mount.options) for mount in tmpfs}
    if container.runtime is not None:
        config["Runtime"] = container.runtime.value
    if container.network is not None:
        config["NetworkMode"] = container.network.value
    if container.annotations:
        config["Annotations"] = {v.value.name: v.value.value for v in container.annotations}
    if container.read_only_rootfs is not None:
        config["ReadonlyRootfs"] = container.read_only_rootfs.value
    if container.init is not None:
        config["Init"] = container.init.value
    if container.gpus is not None:
        config["DeviceRequests"] = [_device_request(container.gpus.value)]
    add_limits(config, container)
    return config


def _device_request(gpus: str) -> DeviceRequest:
    """The request that `docker run --gpus` makes; a count of -1 means all."""
    named = list(devices(gpus))
    return {"Count": 0 if named else -1, "DeviceIDs": named, "Capabilities": [["gpu"]]}


def add_limits(config: HostConfig, container: Container) -> None:
    """Add the limits of `container` on memory, processors, processes and log size to `config`."""
    if container.memory is not None:
        config["Memory"] = memory_bytes(container.memory.value)
    if container.cpus is not None:
        config["NanoCpus"] = round(float(container.cpus.value) * 1e9)
    if container.pids_limit is not None:
        config["PidsLimit"] = container.pids_limit.value
    if container.ulimits:
        config["Ulimits"] = [
            {"Name": v.value.name, "Soft": int(soft), "Hard": int(hard)}
            for v in container.ulimits
            for soft, _, hard in (v.value.value.partition(":"),)
        ]
    if container.log_driver is not None:
        config["LogConfig"] = {
            "Type": container.log_driver.value,
            "Config": {v.value.name: v.value.value for v in container.log_options},
        }


def security_options(container: Container) -> list[str]:
    """The values of `SecurityOpt` in the engine's API."""
    return [_security_option(v.value.name, v.value.value) for v in container.security_opt]


def _security_option(name: str, value: str) -> str:
    """An option for the engine's API, which takes a seccomp profile's text instead of its path."""
    if name != "seccomp":
        return f"{name}={value}"
    profile = json.loads(read_source(value).text)
    return "seccomp=" + json.dumps(profile, separators=(",", ":"))


def memory_bytes(text: str) -> int:
    """The number of bytes in a text such as ``8g``, in docker's units."""
    units = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].isalpha() else (text, "b")
    return int(number) * int(1024 ** units[unit])


def _lasting(place: Lasting) -> MountRequest:
    return {
        "Type": "volume",
        "Source": place.volume,
        "Target": place.target,
        "ReadOnly": False,
        "VolumeOptions": {"NoCopy": True},
    }


def _mount(mount: Mount) -> MountRequest:
    entry: MountRequest = {
        "Type": mount.type,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }
    if mount.source:
        entry["Source"] = mount.source
    options: dict[str, Any] = {}
    driver_options: dict[str, str] = {}
    for option in mount.options:
        key, _, value = option.partition("=")
        if key == "volume-nocopy":
            options["NoCopy"] = True
        elif key == "volume-label":
            label, _, text = value.partition("=")
            options.setdefault("Labels", {})[label] = text
        elif key == "volume-driver":
            options.setdefault("DriverConfig", {})["Name"] = value
        elif key == "volume-opt":
            name, _, text = value.partition("=")
            driver_options[name] = text
        elif key == "bind-propagation":
            entry["BindOptions"] = {"Propagation": value}
        elif key in ("tmpfs-size", "tmpfs-mode"):
            tmpfs = entry.setdefault("TmpfsOptions", {})
            if key == "tmpfs-size":
                tmpfs["SizeBytes"] = memory_bytes(value)
            else:
                tmpfs["Mode"] = int(value, 8)
    if driver_options:
        options.setdefault("DriverConfig", {})["Options"] = driver_options
    if options:
        entry["VolumeOptions"] = options
    return entry
