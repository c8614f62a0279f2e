"""The record of which container has a copy that is kept the same, and where; made before anything runs in it.

It lies in the user's state folder, as a container's labels can come from its image.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.sync.place import Place


class Record(NamedTuple):
    """A copy: in the container with the id `container`, in the folder `target` inside.

    `volume` is the name of the volume that it is in, '' for one in memory; `wanted` are patterns of ignored paths that
    are kept the same, too.
    """

    container: str
    target: str
    volume: str
    wanted: tuple[str, ...] = ()


def write(place: Place, record: Record) -> None:
    """Save `record`.

    :raises EnvironmentFailure: it cannot be written
    """
    if read(place) != record:
        write_private(place.record, json.dumps(record._asdict()).encode())


def read(place: Place) -> Record | None:
    """The record of a sandbox; None if it has none, or one that cannot be read."""
    try:
        record = json.loads(read_source(place.record).text)
        return Record(
            str(record["container"]),
            str(record["target"]),
            str(record["volume"]),
            tuple(str(pattern) for pattern in record["wanted"]),
        )
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_of(place: Place, container: str) -> Record | None:
    """The record of a sandbox, if it is about the container with the id `container`; else None."""
    record = read(place)
    return record if record is not None and record.container == container else None
