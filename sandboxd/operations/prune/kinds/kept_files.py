"""What is remembered of copies that were kept the same, with the files that were removed or overwritten by them."""

from __future__ import annotations

import functools
import os
import shutil
from typing import TYPE_CHECKING

from sandboxd import sync
from sandboxd.life.find import sandboxes_of
from sandboxd.model.sandbox_id import describe
from sandboxd.operations.prune.entry import Entry
from sandboxd.sync import record
from sandboxd.sync.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.operations.prune.entry import State

ORDER = 7


def find(engine: Engine, environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield the folder of each copy; one with kept files is ``work``.

    It is in use while its sandbox, or the volume with the copy, exists.
    """
    try:
        names = sorted(os.listdir(sync.folder(environ)))
    except FileNotFoundError:
        return
    for name in names:
        place = Place(os.path.join(sync.folder(environ), name))
        copy = record.read(place)
        sandbox = copy.sandbox if copy is not None else ""
        size, count = _sizes(place)
        state: State = "work" if count else "unused"
        if _is_used(engine, place):
            state = "in use"
        about = f"files that were kept for {describe(sandbox) if sandbox else 'a sandbox'}"
        yield Entry(
            "kept files", place.folder, about, size, state, functools.partial(_free, engine, place)
        )


def _is_used(engine: Engine, place: Place) -> bool:
    copy = record.read(place)
    if copy is None:
        return False
    has_volume = bool(copy.volume) and engine.volume(copy.volume) is not None
    return has_volume or bool(copy.sandbox and sandboxes_of(engine, copy.sandbox))


def _sizes(place: Place) -> tuple[int, int]:
    """The bytes of all files, and the number of those that are kept."""
    size = count = 0
    for folder, _, names in os.walk(place.folder):
        size += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
        count += len(names) if os.path.dirname(folder) == place.retention else 0
    return size, count


def _free(engine: Engine, place: Place) -> bool:
    """Remove the folder of one copy, unless a sandbox uses it by now; return whether it was removed."""
    if _is_used(engine, place):
        return False
    shutil.rmtree(place.folder, ignore_errors=True)
    return not os.path.lexists(place.folder)
