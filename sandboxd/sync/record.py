"""The record of which container has a copy that is kept the same, and where; made before anything runs in it.

It lies in the user's state folder, as a container's labels can come from its image.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.plan.hiding import NOTHING, Hiding
from sandboxd.sync.place import Place


class Record(NamedTuple):
    """A copy: in the container with the id `container`, in the folder `target` inside.

    `volume` is the name of the volume that it is in, '' for one in memory; `wanted` are patterns of ignored paths that
    are kept the same, too; `sandbox` is the sandbox's identity, and `hiding` says which files are not sent.
    """

    container: str
    target: str
    volume: str
    wanted: tuple[str, ...] = ()
    sandbox: str = ""
    hiding: Hiding = NOTHING


def write(place: Place, record: Record) -> None:
    """Save `record`.

    :raises EnvironmentFailure: it cannot be written
    """
    if read(place) != record:
        write_private(
            place.record,
            json.dumps({**record._asdict(), "hiding": record.hiding._asdict()}).encode(),
        )


def remove(place: Place) -> None:
    """Remove the record: the sandbox's container has no copy that is kept the same.

    :raises OSError: it cannot be removed
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.record)


def read(place: Place) -> Record | None:
    """The record of a sandbox; None if it has none, or one that cannot be read."""
    try:
        record = json.loads(read_source(place.record).text)
        return Record(
            str(record["container"]),
            str(record["target"]),
            str(record["volume"]),
            tuple(str(pattern) for pattern in record["wanted"]),
            str(record.get("sandbox", "")),
            _hiding(record.get("hiding", {})),
        )
    except (SandboxdError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _hiding(fields: dict[str, Any]) -> Hiding:
    always, hide, show = (
        tuple(map(str, fields.get(key, ()))) for key in ("always", "hide", "show")
    )
    return Hiding(always, hide, show, bool(fields.get("secrets")))


def read_of(place: Place, container: str) -> Record | None:
    """The record of a sandbox, if it is about the container with the id `container`; else None."""
    record = read(place)
    return record if record is not None and record.container == container else None
