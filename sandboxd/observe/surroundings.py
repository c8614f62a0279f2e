"""A container's limits, the other containers on its networks, and its variables, as the host shows them."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import failures
from sandboxd.observe.host_process import pid_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected

_MOST_PEERS = 2
# Version 1 says "no limit" by the highest multiple of a page.
_NO_LIMIT = 1 << 60


class Peer(NamedTuple):
    """Another container on one of the networks: its IP address, and the pid of its first process on the host."""

    address: str
    pid: int


class Surroundings(NamedTuple):
    """What surrounds a container.

    `limits` are by name, 0 means none (``memory`` in bytes; ``root`` and ``log`` are 1 if their size is limited);
    `tmpfs` has sizes in bytes by mount point; `environment` has the names of variables that are set on purpose.
    """

    limits: Mapping[str, int]
    tmpfs: Mapping[str, int]
    peers: tuple[Peer, ...]
    environment: tuple[str, ...]


NOTHING = Surroundings({"processes": 0, "memory": 0, "root": 0, "log": 0}, {}, (), ())


def look(
    engine: Engine,
    inspected: Inspected,
    variables: Iterable[str] = (),
    left_out: Collection[str] = (),
) -> Surroundings:
    """Determine the surroundings of a running container.

    :param variables: names of the variables that the project's config sets
    :param left_out: ids of containers that do not count as peers
    """
    host = inspected.get("HostConfig") or {}
    image = engine.image_environment(inspected.get("Image") or "")
    return Surroundings(
        {
            **group_limits(inspected),
            "root": int(bool((host.get("StorageOpt") or {}).get("size"))),
            "log": int(_is_log_bounded(host.get("LogConfig") or {})),
        },
        sized_tmpfs(host),
        _peers(engine, inspected, {inspected["Id"], *left_out}),
        tuple(dict.fromkeys([*variables, *image])),
    )


def group_limits(inspected: Inspected) -> dict[str, int]:
    """The limits of the control group: ``memory`` in bytes and ``processes``; 0 means none."""
    host = inspected.get("HostConfig") or {}
    memory = ("memory.limit_in_bytes", "memory.max")
    return {
        "processes": _limit(inspected, "pids", ("pids.max",), host.get("PidsLimit")),
        "memory": _limit(inspected, "memory", memory, host.get("Memory")),
    }


def _is_log_bounded(log: Mapping[str, Any]) -> bool:
    """Whether the engine limits or rotates the log on the host's disk.

    `local` does by itself (https://docs.docker.com/engine/logging/drivers/local/).
    """
    has_size = bool((log.get("Config") or {}).get("max-size"))
    return log.get("Type") in ("local", "none") or (log.get("Type") == "json-file" and has_size)


def group_processors(inspected: Inspected) -> float:
    """The control group's limit on processors; 0 means no limit."""
    folder = _control_group(pid_of(inspected), "cpu")
    words: list[str] = []
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with contextlib.suppress(OSError):
            words = [word for file in files for word in _read(folder, file).split()]
            break
    else:
        return int((inspected.get("HostConfig") or {}).get("NanoCpus") or 0) / 1e9
    quota, period = [*words, "max", "max"][:2]
    if quota in ("max", "-1") or not period.isdecimal():
        return 0
    return int(quota) / int(period)


def _read(folder: str, file: str) -> str:
    with open(os.path.join(folder, file)) as text:
        return text.read()


def sized_tmpfs(host_config: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of tmpfs mounts that have one, in bytes by mount point."""
    sizes = {}
    for target, options in (host_config.get("Tmpfs") or {}).items():
        match = re.search(r"(?:^|,)size=(\d+)([kmg]?)(?:,|$)", options.lower())
        if match:
            sizes[target] = int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2]]
    for mount in host_config.get("Mounts") or []:
        size = (mount.get("TmpfsOptions") or {}).get("SizeBytes")
        if mount.get("Type") == "tmpfs" and size:
            sizes[mount["Target"]] = int(size)
    return sizes


def _limit(
    inspected: Inspected, controller: str, files: Iterable[str], requested: int | None
) -> int:
    """A limit of the container's control group; the requested one where the group is not readable."""
    folder = _control_group(pid_of(inspected), controller)
    for file in files:
        try:
            with open(os.path.join(folder, file)) as text:
                value = text.read().strip()
        except OSError:
            continue
        return 0 if value == "max" or int(value) >= _NO_LIMIT else int(value)
    return max(requested or 0, 0)


def _control_group(pid: int, controller: str) -> str:
    """The folder of a process's control group, in either version."""
    try:
        with open(f"/proc/{pid}/cgroup") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    unified = ""
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return f"/sys/fs/cgroup/{controller}{path}"
        if not controllers:
            unified = f"/sys/fs/cgroup{path}"
    return unified


def _peers(engine: Engine, inspected: Inspected, left_out: Collection[str]) -> tuple[Peer, ...]:
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    peers: list[Peer] = []
    for name in networks:
        for container, address in engine.network_containers(name).items():
            if container in left_out or not address or len(peers) >= _MOST_PEERS:
                continue
            try:
                state = engine.inspect(container)["State"]
            except failures.ContainerGone:
                continue
            if state.get("Pid"):
                peers.append(Peer(address, state["Pid"]))
    return tuple(peers)
