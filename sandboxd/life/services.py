"""The containers of a project's other services, on the inner network of its gateway.

They reach what the workspace reaches, through the same gateway, and each other by name. No path of the host is mounted
into them. Each is confined like the workspace, but keeps the capabilities that entry points need to change user.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress import layout
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import service_files
from sandboxd.life.end import remove
from sandboxd.model.labels import PLAN, PROJECT, SERVICE
from sandboxd.plan.container_name import container_name
from sandboxd.plan.service_reading import size
from sandboxd.plan.volumes import own_name
from sandboxd.plan.writers.engine import add_limits, security_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.life.networks import Inner
    from sandboxd.model.container import Container
    from sandboxd.model.engine_answers import CreateRequest, HostConfig, Inspected, MountRequest
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.service import Health, Service

_NANOSECONDS = 1_000_000_000
_STOP_SECONDS = 10
"""Seconds between SIGTERM and SIGKILL: Compose's default (`stop_grace_period`)."""
_AT_ONCE = 8
_NO_NEW_PRIVILEGES = "no-new-privileges=true"


class Surroundings(NamedTuple):
    """The network, name server and workspace container that services are started with."""

    inner: Inner
    resolv_conf: str
    """A file on the engine's machine that names the gateway as the only name server; '' if none is mounted."""
    workspace: str = ""
    """The id of the workspace's container, whose network a service may share."""
    started: str = ""
    """The start time of that container, as the engine writes it; a shared network ends when the container stops."""


def surroundings(inner: Inner, resolv_conf: str, inspected: Inspected) -> Surroundings:
    """Describe what services are started with.

    :param inspected: the workspace's running container, as the engine describes it
    """
    started = (inspected.get("State") or {}).get("StartedAt", "")
    return Surroundings(inner, resolv_conf, str(inspected["Id"]), started)


def name_of(workspace: str, service: str) -> str:
    """The name of the container of a service.

    :param workspace: the sandbox's identity
    :param service: the service's DNS name
    """
    return f"{container_name(workspace)}-service-{service}"


def find(engine: Engine, workspace: str) -> list[Summary]:
    """The service containers of a sandbox, in any state.

    They must have the names that we give, since anybody can set their label.

    :param workspace: the sandbox's identity
    """
    prefix = name_of(workspace, "")
    return [
        container
        for container in engine.containers(f"{SERVICE}={workspace}")
        if container.name.startswith(prefix)
    ]


def container_of(engine: Engine, sandbox: Summary, service: str) -> str:
    """The id of the container of `service` beside the container of a sandbox, in any state.

    :raises EnvironmentFailure: there is none
    """
    workspace = sandbox.labels[PROJECT]
    prefix = name_of(workspace, "")
    present = {each.name.removeprefix(prefix): each.id for each in find(engine, workspace)}
    name = service.lower()
    if name not in present:
        others = ", ".join(f"`{other}`" for other in sorted(present))
        raise EnvironmentFailure(
            f"there is no service `{service}` beside this sandbox",
            f"there are {others}" if others else "`sandboxd up` starts those of its Compose files",
        )
    return present[name]


def leave(engine: Engine, workspace: str) -> None:
    """Stop and remove the services of a sandbox; their named volumes stay.

    :param workspace: the sandbox's identity
    """
    end(engine, find(engine, workspace))


def end(engine: Engine, containers: Sequence[Summary]) -> None:
    """Stop and remove services in parallel; each gets time to end by itself, so that a database need not repair its
    files.

    :raises EnvironmentFailure: one still exists
    """
    if containers:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="service") as threads:
            # Each of the results is looked at, and raises what its thread raised.
            list(threads.map(lambda container: _end(engine, container), containers))


def _end(engine: Engine, container: Summary) -> None:
    if container.state == "running":
        # A container that does not end when asked is removed nevertheless.
        with contextlib.suppress(EnvironmentFailure):
            engine.stop(container.id, _STOP_SECONDS)
    remove(engine, container.id)


def body(service: Service, plan: Plan, around: Surroundings, archive: bytes = b"") -> CreateRequest:
    """The create request of a service, with a label that holds a fingerprint of the service and of what it is started
    with.

    :param archive: the copies of project files that it gets, as a tar archive; b'' for none
    """
    container = service.container
    assert container.image is not None
    request: CreateRequest = {
        "Image": container.image.value,
        "Env": list(service.env),
        "Labels": {SERVICE: plan.sandbox},
        "HostConfig": _host_config(service, plan, around),
    }
    if not service.shares:
        request["Hostname"] = service.hostname or service.name
        address = address_of(service.name, plan, around.inner)
        request["NetworkingConfig"] = {
            "EndpointsConfig": {around.inner.name: {"IPAMConfig": {"IPv4Address": address}}}
        }
    if service.command is not None:
        request["Cmd"] = list(service.command)
    if service.entrypoint is not None:
        request["Entrypoint"] = list(service.entrypoint)
    if service.health is not None:
        request["Healthcheck"] = _healthcheck(service.health)
    if container.user is not None:
        request["User"] = container.user.value
    if container.working_dir is not None:
        request["WorkingDir"] = container.working_dir.value
    if container.stop_signal is not None:
        request["StopSignal"] = container.stop_signal.value
    text = json.dumps([request, around.started if service.shares else ""], sort_keys=True)
    request["Labels"][PLAN] = hashlib.sha256(text.encode() + archive).hexdigest()
    return request


def address_of(name: str, plan: Plan, inner: Inner) -> str:
    """The IPv4 address on the inner network that the service with the DNS name `name` gets."""
    names = plan.egress.services if plan.egress is not None else ()
    return layout.services(inner.addresses, names)[name]


def _host_config(service: Service, plan: Plan, around: Surroundings) -> HostConfig:
    container, workspace = service.container, plan.container
    host: HostConfig = {
        "NetworkMode": around.inner.name,
        "CapDrop": ["ALL"],
        "CapAdd": list(service.capabilities),
        "SecurityOpt": _security_options(workspace),
        "RestartPolicy": {"Name": "no"},
        "Mounts": _mounts(service, plan, around.resolv_conf),
    }
    if service.shares:
        host["NetworkMode"] = f"container:{around.workspace}"
    else:
        host["Dns"], host["DnsSearch"] = [around.inner.addresses.gateway], ["."]
    if workspace.runtime is not None:
        host["Runtime"] = workspace.runtime.value
    if workspace.annotations:
        # Without this annotation gVisor ignores the filter above.
        host["Annotations"] = {v.value.name: v.value.value for v in workspace.annotations}
    add_limits(host, workspace)
    if container.memory is not None and (own := size(container.memory.value)):
        host["Memory"] = min(own, host.get("Memory") or own)
    if container.pids_limit is not None and container.pids_limit.value > 0:
        own = container.pids_limit.value
        host["PidsLimit"] = min(own, host.get("PidsLimit") or own)
    if container.read_only_rootfs is not None:
        host["ReadonlyRootfs"] = container.read_only_rootfs.value
    if container.init is not None:
        host["Init"] = container.init.value
    if container.shm_size is not None:
        host["ShmSize"] = size(container.shm_size.value) or 0
    return host


def _security_options(workspace: Container) -> list[str]:
    """The filters of the workspace; and no new privileges, also where the workspace may gain some."""
    options = security_options(workspace)
    return options if _NO_NEW_PRIVILEGES in options else [_NO_NEW_PRIVILEGES, *options]


def _healthcheck(health: Health) -> dict[str, list[str] | int]:
    check: dict[str, list[str] | int] = {
        "Test": list(health.test),
        "Interval": round(health.interval * _NANOSECONDS),
        "Timeout": round(health.timeout * _NANOSECONDS),
        "StartPeriod": round(health.start_period * _NANOSECONDS),
        "StartInterval": round(health.start_interval * _NANOSECONDS),
        "Retries": health.retries,
    }
    return {key: value for key, value in check.items() if value}


def _mounts(service: Service, plan: Plan, resolv_conf: str) -> list[MountRequest]:
    mounts: list[MountRequest] = []
    for value in service.container.mounts:
        mount = value.value
        if mount.type == "bind":
            continue  # a copy is put there: `service_files`
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


def archive_of(service: Service, plan: Plan) -> bytes:
    """The copies of project files that `service` gets, as a tar archive; b'' for none.

    :raises UsageError: a file cannot be copied
    """
    return service_files.archive(plan.workspace, service.files)
