"""Which volumes of programs are whole: noted on the host when an installation ended, by engine and volume.

A volume alone does not say: an installation can be killed, and an engine makes an empty one of any name that a
container asks for. One that was made anew has another time.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes, write_atomic
from sandboxd.host.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine


def is_whole(engine: Engine, volume: str, environ: Mapping[str, str]) -> bool:
    """Whether the volume is the one that `note` was called for."""
    time = _time_of(engine, volume)
    return bool(time) and _read(environ).get(_key(engine, volume)) == time


def note(engine: Engine, volume: str, environ: Mapping[str, str]) -> None:
    """Remember that the volume is whole.

    :raises EnvironmentFailure: that cannot be written
    """
    path = _path(environ)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        record = {**_read(environ), _key(engine, volume): _time_of(engine, volume)}
        write_atomic(path, json.dumps(record, indent=1).encode(), 0o600)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write `{path}`: {error.strerror}", "make room, or set XDG_STATE_HOME"
        ) from None


def _time_of(engine: Engine, volume: str) -> str:
    """The time at which the volume was made, as the engine has it; '' where it is not there."""
    described = engine.volume(volume)
    return described.get("CreatedAt") or "" if described is not None else ""


def _key(engine: Engine, volume: str) -> str:
    return f"{engine.info().get('ID')} {volume}"


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
