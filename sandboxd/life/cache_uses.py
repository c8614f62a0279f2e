"""The order in which package caches were used, and their size when they were last measured.

The order is counted and not timed: a clock that was set wrong for an hour makes no cache the oldest one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.file_lock import locked
from sandboxd.files import read_source, write_atomic
from sandboxd.folders import state_folder

DAY_SECONDS = 24 * 3600.0
_MOST = 2000
"""Volumes that are remembered, those used last."""


class Measured(NamedTuple):
    """The size of all caches of one engine: `size` in bytes, `at` in seconds since 1970."""

    at: float
    size: int

    def is_recent(self, now: float) -> bool:
        """Whether it was measured within the last day.

        A time in the future comes from a wrong clock and does not count.
        """
        return 0 <= now - self.at < DAY_SECONDS


class Uses(NamedTuple):
    """The known uses and sizes of the caches.

    `order` has a higher number for a volume that was used later; `measured` is by the engine's address.
    """

    order: Mapping[str, int]
    measured: Mapping[str, Measured]


NOTHING = Uses({}, {})


def recall(environ: Mapping[str, str]) -> Uses:
    """The noted uses; none where they cannot be read, and then no cache counts as used."""
    try:
        record = json.loads(read_source(_path(environ)).text)
        order = {str(name): int(number) for name, number in record["order"].items()}
        measured = {
            str(engine): Measured(float(at), int(size))
            for engine, (at, size) in record["measured"].items()
        }
    except (SandboxdError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return NOTHING
    return Uses(order, measured)


def note_use(environ: Mapping[str, str], volumes: Iterable[str]) -> None:
    """Note that `volumes` are used now, later than all others. If it cannot be written, nothing is noted."""
    names = list(volumes)
    before = recall(environ)
    latest = max(before.order.values(), default=0)
    if not names or all(before.order.get(name) == latest for name in names):
        return

    def change(uses: Uses) -> Uses:
        number = max(uses.order.values(), default=0) + 1
        order = {**uses.order, **dict.fromkeys(names, number)}
        latest = sorted(order, key=lambda name: order[name])[-_MOST:]
        return uses._replace(order={name: order[name] for name in latest})

    _change(environ, change)


def note_size(environ: Mapping[str, str], engine: str, measured: Measured) -> None:
    """Note the size of the caches of the engine at the address `engine`."""
    _change(environ, lambda uses: uses._replace(measured={**uses.measured, engine: measured}))


def _change(environ: Mapping[str, str], change: Callable[[Uses], Uses]) -> None:
    path = _path(environ)
    # Without a note a cache counts as one that was used longest ago; a start is worth more than that.
    with contextlib.suppress(OSError, SandboxdError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with locked(f"{path}.lock"):
            uses = change(recall(environ))
            write_atomic(path, json.dumps(uses._asdict()).encode(), 0o600)


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), "caches.json")
