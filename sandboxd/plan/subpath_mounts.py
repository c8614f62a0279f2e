"""Mounts of parts of the workspace that an engine makes without following a link out of it.

An engine looks up the source of a bind mount when it starts the container, and follows each link on its path. A program
inside that can write the workspace can put a link to the user's home in the place of a folder that a generated file
names, at any time before that. `sandboxd up` opens each source and compares it; a dev container client does not. Docker
opens the path within a volume (`volume-subpath`) below the volume's own folder, at each start of the container, and
refuses one that leads out (https://docs.docker.com/engine/storage/volumes/#mount-a-volume-subdirectory, API 1.45; shown
with Docker 26 and Compose 2.26). A link that stays in the workspace is followed.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.model.container import Mount
from sandboxd.model.control_name import ControlName
from sandboxd.model.subpath_volumes import key_of, volume_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.host.facts import Engine
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.plan import Plan

_SINCE_API = (1, 45)
_DEVICE = "volume-opt=device="
_READ_ONLY = "volume-opt=o=bind,ro"
# Compose takes a volume with the bare `o: bind` for a bind mount, and leaves its subpath out without a word.
_WRITABLE = "volume-opt=o=bind,rw"


def are_possible(engine: Engine | None) -> bool:
    """Whether the engine can make such mounts; True also if nothing is known of it: it then refuses to start.

    An engine in a virtual machine may know the workspace by another path, which it replaces in bind mounts alone.
    """
    if engine is None or engine.kind is None:
        return True
    return engine.kind == "docker" and _is_new_enough(engine.api_version or "")


def _is_new_enough(api_version: str) -> bool:
    parts = api_version.split(".")
    return all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= _SINCE_API


def say_where_impossible(
    engine: Engine | None, mounts: Iterable[Mount], workspace: str, notes: Notes
) -> None:
    """Note a downgrade if a part of the workspace is mounted and the engine follows links in such mounts: an editor that
    rebuilds the container could then be led by a link to another folder of the host.

    :param engine: None if it is not known; then nothing is noted
    """
    # No generated file is for a cluster.
    if (engine is not None and engine.is_cluster) or are_possible(engine):
        return
    if not any(_is_part(mount, workspace) for mount in mounts):
        return
    notes.downgrade(
        ControlName.MOUNTS_BY_PATH,
        "this engine follows links in what an editor's rebuild mounts, so a program inside can put a link in the place "
        "of a folder and have what it leads to on the host mounted",
        "run `sandboxd up`, which compares what is mounted; Docker 26 on Linux refuses such links by itself",
        of_other_tools=True,
    )


def of_other_tools(mount: Mount, plan: Plan, key: str = "") -> Mount:
    """`mount` as other tools than `sandboxd up` are to make it: without following a link out of the workspace.

    It is `mount` itself if its source is no part of the workspace, or the engine can make no such mounts.

    :param key: the part of the volume's name that differs for each workspace of a machine; '' for that of the
        workspace's path
    """
    workspace = plan.workspace
    if not plan.subpath_mounts or not _is_part(mount, workspace):
        return mount
    writable = _READ_ONLY not in mount.options
    options = (
        "volume-nocopy",
        "volume-driver=local",
        "volume-opt=type=none",
        _WRITABLE if writable else _READ_ONLY,
        f"{_DEVICE}{workspace}",
        f"volume-subpath={posixpath.relpath(_host_source(mount), workspace)}",
        "volume-label=dev.sandboxd.pin=true",
    )
    name = volume_name(key or key_of(workspace), writable=writable)
    return Mount("volume", name, mount.target, mount.read_only, options)


def _is_part(mount: Mount, workspace: str) -> bool:
    return _host_source(mount).startswith(f"{workspace.rstrip('/')}/")


def _host_source(mount: Mount) -> str:
    if mount.type == "bind":
        return mount.source
    devices = [o.removeprefix(_DEVICE) for o in mount.options if o.startswith(_DEVICE)]
    return devices[0] if devices else ""
