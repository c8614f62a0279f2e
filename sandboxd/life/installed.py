"""The record of which program volumes are complete: at the end of an installation the host notes its random number.

The volume's existence does not prove it: an installation can be killed, and an engine creates an empty volume of any
name that a container asks for. Only an installation gives the volume a label with the number.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes, write_private
from sandboxd.folders import state_folder
from sandboxd.model.labels import START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine


def is_whole(engine: Engine, volume: str, environ: Mapping[str, str]) -> bool:
    """Whether the volume is one whose installation was recorded as complete."""
    number = _number(engine, volume)
    return bool(number) and _read(environ).get(number) == volume


def note(engine: Engine, volume: str, environ: Mapping[str, str]) -> None:
    """Record that the volume is complete.

    :raises EnvironmentFailure: that cannot be written
    """
    path = _path(environ)
    try:
        record = {**_read(environ), _number(engine, volume): volume}
        write_private(path, json.dumps(record, indent=1).encode())
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write `{path}`: {error.strerror}", "make room, or set XDG_STATE_HOME"
        ) from None


def _number(engine: Engine, volume: str) -> str:
    """The number of the installation that made the volume; '' where none did."""
    described = engine.volume(volume)
    return ((described.get("Labels") if described is not None else None) or {}).get(START, "")


def _read(environ: Mapping[str, str]) -> dict[str, str]:
    try:
        record = json.loads(read_bytes(_path(environ)))
    except (UnreadableError, ValueError):
        return {}
    return (
        {str(key): str(value) for key, value in record.items()} if isinstance(record, dict) else {}
    )


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), "programs", "installed.json")
