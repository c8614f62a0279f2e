"""A second container with the settings of a sandbox, used only by `verify`.

Programs in a sandbox can falsify reports from there: its `sh`, loader and libraries are the image's, and a process of
the same user can change another's memory. So the attempts are made in a container in which nothing of the project and
no program of the image ever runs: it is created from the same plan, or with the settings that the engine reports of the
sandbox, and starts only our Python.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from sandboxd.backends.docker import image_nodes
from sandboxd.engine.payload import container
from sandboxd.life import egress, networks, volumes
from sandboxd.model.labels import MADE_BY, PROFILE, PROJECT
from sandboxd.plan import stubs
from sandboxd.plan.writers.engine import arguments
from sandboxd.verify import attempts, scratch_git

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.engine.payload.container import Started
    from sandboxd.model.engine_answers import CreateRequest, HostConfig, Inspected, MountRequest
    from sandboxd.plan.plan import Plan

_NAME = "sandboxd-verify"
_LASTING = ("sandboxd-copy-", "sandboxd-home-", "sandboxd-caches-")
_MEMORY = "rw,exec,nosuid,nodev,size=64m,mode=1777"
# An image's own label of these would let somebody take it for a project's.
_NOBODYS = {PROJECT: "none", MADE_BY: "verify"}

# Fields of `docker inspect` that belong to one run or to the name of a container.
_NOT_COPIED = (
    "AutoRemove",
    "ContainerIDFile",
    "ConsoleSize",
    "Links",
    "PortBindings",
    "PublishAllPorts",
    "RestartPolicy",
    "VolumesFrom",
)


class Replica(NamedTuple):
    """A running container of ours, as in `payload.container.Started`, and the image's device files."""

    started: Started
    nodes: str
    """The folder in it with device files that the image contains; '' for none."""
    volumes: tuple[str, ...] = ()
    """Mount points that are volumes in the sandbox, and tmpfs in the replica."""


@contextlib.contextmanager
def of_plan(engine: Engine, plan: Plan, cache_folder: str | None) -> Iterator[Replica]:
    """A running container of a plan, removed at the end of the context.

    A private copy, which a program of the image would make, is left out.

    :raises EnvironmentFailure: it cannot be created; see `payload.container.running`
    """
    # In memory what else lasts: nothing of an attempt is left, and none of the sandbox's files is there.
    body = arguments(plan._replace(lasting=()))
    volumes.refuse_other_device(engine, body)
    body["Labels"] = {PROFILE: plan.profile, **_NOBODYS}
    host = body["HostConfig"]
    beside = contextlib.ExitStack()
    if plan.egress is not None:
        beside.enter_context(_inner_network(engine, plan, body))
    mounts = {mount["Target"] for mount in host.get("Mounts") or []} | set(host.get("Tmpfs") or {})
    stub_paths = stubs.make(plan.workspace, plan.stubs_of_up)
    try:
        with beside, _running(engine, body, mounts, cache_folder) as replica:
            yield replica._replace(volumes=tuple(place.target for place in plan.lasting))
    finally:
        stubs.remove(plan.workspace, stub_paths)


@contextlib.contextmanager
def _inner_network(engine: Engine, plan: Plan, body: CreateRequest) -> Iterator[None]:
    """Put a replica on the inner network of its project; one that is made for it is removed again."""
    is_there = networks.pair_of(engine, plan.sandbox) is not None
    pair = networks.ensure(engine, plan.sandbox, lambda _text: None)
    assert plan.egress is not None
    egress.add_to(body, egress.Joined(plan.sandbox, pair, plan.egress), engine)
    try:
        yield
    finally:
        if not is_there:
            networks.remove(engine, plan.sandbox)


@contextlib.contextmanager
def of_container(
    engine: Engine, inspected: Inspected, cache_folder: str | None
) -> Iterator[Replica]:
    """A running container with the settings of an existing one, removed at the end of the context.

    :param inspected: the existing container, as the engine describes it
    :raises EnvironmentFailure: it cannot be created; see `payload.container.running`
    """
    mounts = {mount["Destination"] for mount in inspected.get("Mounts") or []}
    mounts |= set((inspected.get("HostConfig") or {}).get("Tmpfs") or {})
    with _running(engine, settings(inspected), mounts, cache_folder) as replica:
        yield replica._replace(volumes=tuple(_lasting(inspected.get("HostConfig") or {})))


def settings(inspected: Inspected) -> CreateRequest:
    """A create request with the settings of a container that the engine describes."""
    config, host = inspected.get("Config") or {}, inspected.get("HostConfig") or {}
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    # Fields that `HostConfig` does not name are copied, too.
    copied = {name: value for name, value in host.items() if name not in _NOT_COPIED}
    host_config = cast("HostConfig", copied)
    host_config["Mounts"] = [*(host.get("Mounts") or []), *_mounts_of_others(inspected)]
    _empty_lasting(host_config)
    body: CreateRequest = {
        # By its id, since the name may refer to another image by now.
        "Image": inspected.get("Image") or config.get("Image") or "",
        "User": config.get("User") or "",
        "Env": list(config.get("Env") or []),
        "Labels": {PROFILE: (config.get("Labels") or {}).get(PROFILE, ""), **_NOBODYS},
        "HostConfig": host_config,
    }
    mode = str(host.get("NetworkMode") or "default").replace("default", "bridge")
    if mode not in ("none", "host") and networks.keys() - {mode}:
        body["NetworkingConfig"] = {"EndpointsConfig": {name: {} for name in networks}}
    return body


def _empty_lasting(host: HostConfig) -> None:
    """Memory in place of the volumes that outlive the sandbox: what lies in them is not for attempts."""
    for target in _lasting(host):
        host["Tmpfs"] = {**(host.get("Tmpfs") or {}), target: _MEMORY}
    host["Mounts"] = [
        mount
        for mount in host.get("Mounts") or []
        if mount["Target"] not in (host.get("Tmpfs") or {})
    ]


def _lasting(host: HostConfig) -> list[str]:
    """The mount points of volumes that outlive the sandbox."""
    return [
        mount["Target"]
        for mount in host.get("Mounts") or []
        if mount.get("Type") == "volume" and str(mount.get("Source")).startswith(_LASTING)
    ]


def _mounts_of_others(inspected: Inspected) -> list[MountRequest]:
    """Mounts that `--volumes-from` brought: their source may be gone by now."""
    if not (inspected.get("HostConfig") or {}).get("VolumesFrom"):
        return []
    host = inspected["HostConfig"]
    targets = {mount["Target"] for mount in host.get("Mounts") or []}
    targets |= {bind.split(":")[1] for bind in host.get("Binds") or [] if ":" in bind}
    return [
        {
            "Type": mount["Type"],
            "Source": mount.get("Name") or mount.get("Source") or "",
            "Target": mount["Destination"],
            "ReadOnly": not mount.get("RW", True),
        }
        for mount in inspected.get("Mounts") or []
        if mount["Destination"] not in targets and mount.get("Type") in ("bind", "volume")
    ]


@contextlib.contextmanager
def _running(
    engine: Engine, body: CreateRequest, mounts: set[str], cache_folder: str | None
) -> Iterator[Replica]:
    with (
        image_nodes.image(engine, body["Image"]) as (image, nodes),
        scratch_git.in_place(body),
    ):
        body = {**body, "Image": image}
        with container.running(
            engine, _NAME, body, mounts, attempts.imports(), cache_folder
        ) as started:
            yield Replica(started, nodes)
