"""Private copies that outlive their container, each in a volume of the engine.

Whether a copy is complete is recorded on the host, where nothing inside can forge it, with the volume's creation time:
a volume with another time has no complete copy.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file
from sandboxd.model.labels import PROJECT, VOLUME, VOLUME_TIME
from sandboxd.plan.lasting import is_copy

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected, Volume


def copy_of(engine: Engine, inspected: Inspected) -> Volume | None:
    """The volume with the private copy of a container; None if the copy is in memory, or there is none."""
    sandbox = ((inspected.get("Config") or {}).get("Labels") or {}).get(PROJECT)
    for mount in inspected.get("Mounts") or []:
        name = mount.get("Name") or ""
        if mount.get("Type") == "volume" and is_copy(name):
            volume = engine.volume(name)
            if volume is not None and (volume.get("Labels") or {}).get(VOLUME) == sandbox:
                return volume
    return None


def of_container(engine: Engine, inspected: Inspected) -> str:
    """A text that identifies the copy in a container; a copy in memory is another one after each start."""
    volume = copy_of(engine, inspected)
    if volume is not None:
        return f"{volume['Name']} {_time(volume)}"
    return f"{inspected['Id']} {inspected['State']['StartedAt']}"


def whole_since(volume: Volume) -> int | None:
    """When a complete copy was begun, in nanoseconds since 1970; None if the copy is not complete."""
    label = _time(volume)
    with contextlib.suppress(SandboxdError, ValueError, RecursionError):
        record = json.loads(read_source(_path(volume["Name"])).text)
        if label.isdecimal() and record == {"volume": volume["Name"], "time": label}:
            return int(label)
    return None


def note_whole(volume: Volume) -> None:
    """Record that the copy in `volume` is complete.

    :raises EnvironmentFailure: it cannot be recorded, so the copy would count as incomplete
    """
    path = _path(volume["Name"])
    record = {"volume": volume["Name"], "time": _time(volume)}
    try:
        write_private(path, json.dumps(record).encode())
    except (OSError, SandboxdError) as error:
        raise EnvironmentFailure(
            f"cannot note that the private copy is whole: {error}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None


def forget(name: str) -> None:
    """Remove the record of the copy in a volume that was removed."""
    with contextlib.suppress(OSError):
        os.unlink(_path(name))


def _time(volume: Volume) -> str:
    return (volume.get("Labels") or {}).get(VOLUME_TIME, "")


def _path(volume: str) -> str:
    return workspace_file(os.path.join(state_folder(os.environ), "copies"), volume, ".json")
