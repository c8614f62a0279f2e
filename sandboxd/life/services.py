"""The other services of a project, on the inner network of its gateway: made with the workspace, gone with it.

They reach what the workspace reaches, by the same gateway, and each other by name. None has a path of the
host, and each is held as the workspace is, but for the rights that entry points step down with.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sandboxd.egress import layout
from sandboxd.life.end import remove
from sandboxd.model.labels import PLAN, SERVICE, START
from sandboxd.plan.container_name import container_name
from sandboxd.plan.services import KEPT_CAPABILITIES
from sandboxd.plan.volumes import own_name
from sandboxd.plan.writers.engine import memory_bytes, security_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.answers import CreateRequest, HostConfig, MountRequest
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.life.networks import Inner
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.services import Service


def name_of(workspace: str, service: str) -> str:
    """The name of the container of a service."""
    return f"{container_name(workspace)}-service-{service}"


def find(engine: Engine, workspace: str) -> list[Summary]:
    """The services of `workspace`, in any state. Their label could be anybody's, their names only ours."""
    prefix = name_of(workspace, "")
    return [
        container
        for container in engine.containers(f"{SERVICE}={workspace}")
        if container.name.startswith(prefix)
    ]


def body(
    service: Service, number: int, plan: Plan, inner: Inner, resolv_conf: str
) -> CreateRequest:
    """The create request of a service.

    :param number: its place among the names of the policy, which says its address
    :param resolv_conf: a file on the engine's machine that names the gateway as name server; '' for none
    """
    container, workspace = service.container, plan.container
    addresses = inner.addresses
    image = container.image
    assert image is not None
    caps = {*KEPT_CAPABILITIES} - {value.value for value in container.cap_drop}
    if any(value.value == "ALL" for value in container.cap_drop):
        caps = {value.value for value in container.cap_add}
    host: HostConfig = {
        "NetworkMode": inner.name,
        "Dns": [addresses.gateway],
        "DnsSearch": ["."],
        "CapDrop": ["ALL"],
        "CapAdd": sorted(caps),
        "SecurityOpt": security_options(workspace),
        "RestartPolicy": {"Name": "no"},
        "Mounts": _mounts(service, plan, resolv_conf),
    }
    if workspace.runtime is not None:
        host["Runtime"] = workspace.runtime.value
    if workspace.memory is not None:
        host["Memory"] = memory_bytes(workspace.memory.value)
    if workspace.pids_limit is not None:
        host["PidsLimit"] = workspace.pids_limit.value
    if container.read_only_rootfs is not None:
        host["ReadonlyRootfs"] = container.read_only_rootfs.value
    if container.init is not None:
        host["Init"] = container.init.value
    if container.shm_size is not None:
        host["ShmSize"] = memory_bytes(container.shm_size.value)
    request: CreateRequest = {
        "Image": image.value,
        "Env": [f"{v.value.name}={v.value.value}" for v in container.env],
        "Hostname": service.name,
        "Labels": {SERVICE: plan.sandbox},
        "HostConfig": host,
        "NetworkingConfig": {
            "EndpointsConfig": {
                inner.name: {"IPAMConfig": {"IPv4Address": layout.service(addresses, number)}}
            }
        },
    }
    if service.command is not None:
        request["Cmd"] = list(service.command)
    if service.entrypoint is not None:
        request["Entrypoint"] = list(service.entrypoint)
    if container.user is not None:
        request["User"] = container.user.value
    if container.working_dir is not None:
        request["WorkingDir"] = container.working_dir.value
    if container.stop_signal is not None:
        request["StopSignal"] = container.stop_signal.value
    text = json.dumps(request, sort_keys=True)
    request["Labels"][PLAN] = hashlib.sha256(text.encode()).hexdigest()
    return request


def follow(
    engine: Engine,
    plan: Plan,
    inner: Inner,
    resolv_conf: str,
    start: str,
    progress: Callable[[str], None],
) -> None:
    """Have the services of `plan` run as planned, and no others; one whose image is missing is named.

    :param start: the random number of the start that they belong to
    :raises EnvironmentFailure: one does not start
    """
    names = [name for name, _ in plan.egress.services] if plan.egress is not None else []
    wanted = {
        name_of(plan.sandbox, service.name): body(
            service, names.index(service.name), plan, inner, resolv_conf
        )
        for service in plan.services
    }
    # All that goes first: another may be about to get its address.
    for old in find(engine, plan.sandbox):
        request = wanted.get(old.name)
        same = request is not None and old.labels.get(PLAN) == request["Labels"][PLAN]
        if same and old.state == "running":
            del wanted[old.name]
        else:
            remove(engine, old.id)
    for name, request in wanted.items():
        _start(engine, name, request, start, progress)


def _start(
    engine: Engine,
    name: str,
    request: CreateRequest,
    start: str,
    progress: Callable[[str], None],
) -> None:
    service, image = request["Hostname"], request["Image"]
    if not engine.has_image(image):
        progress(f"downgrade: service: `{service}` is not started: its image is not there")
        progress(f"  hint: docker pull {image}")
        return
    progress(f"starting the service `{service}` from `{image}`")
    request["Labels"][START] = start
    container = engine.create(name, request)
    try:
        engine.start(container)
    except BaseException:
        remove(engine, container)
        raise


def leave(engine: Engine, workspace: str) -> None:
    """Remove the services of `workspace`; their named volumes stay."""
    for container in find(engine, workspace):
        remove(engine, container.id)


def _mounts(service: Service, plan: Plan, resolv_conf: str) -> list[MountRequest]:
    mounts: list[MountRequest] = []
    for value in service.container.mounts:
        mount = value.value
        entry: MountRequest = {
            "Type": mount.type,
            "Target": mount.target,
            "ReadOnly": mount.read_only,
        }
        if mount.type == "volume" and mount.source:
            entry["Source"] = own_name(mount.source, plan.sandbox, ())
        mounts.append(entry)
    if resolv_conf:
        target = "/etc/resolv.conf"
        mounts.append({"Type": "bind", "Source": resolv_conf, "Target": target, "ReadOnly": True})
    return mounts
