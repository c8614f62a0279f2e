"""Volumes: copies, homes, caches, programs of agents, and volumes that only stand for a host folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life.lasting import remove
from sandboxd.model.labels import VOLUME
from sandboxd.model.sandbox_id import describe
from sandboxd.operations.prune.entry import Entry
from sandboxd.plan.lasting import beginning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.operations.prune.entry import State

ORDER = 3

# Kinds of volumes of one sandbox, and whether somebody's work may be in them.
_OF_SANDBOXES = {"copy": True, "synced": True, "home": True, "caches": False}
# Volumes of no single sandbox: the label, the beginning of the name, what it is. All are made again when needed.
_OTHERS = (
    ("dev.sandboxd.program", "sandboxd-program-", "program of an agent"),
    ("dev.sandboxd.pin", "sandboxd-pin-", "a folder of a workspace, read-only"),
)


def find(engine: Engine, _environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each volume that sandboxd made."""
    uses = engine.volume_uses()

    def entry(kind: str, name: str, about: str, holds_work: bool) -> Entry:
        size, users = uses.get(name, (None, None))
        state: State = "work" if holds_work else "unused"
        # A volume whose users the engine does not count may be in use.
        state = "in use" if users != 0 else state
        return Entry(kind, name, about, size, state, lambda: _free(engine, name))

    for volume in engine.volumes(VOLUME):
        sandbox = (volume.get("Labels") or {}).get(VOLUME, "")
        for kind, holds_work in _OF_SANDBOXES.items():
            if volume["Name"].startswith(beginning(kind, sandbox)):
                yield entry(kind, volume["Name"], f"of {describe(sandbox)}", holds_work)
    for label, first, about in _OTHERS:
        for volume in engine.volumes(label):
            if volume["Name"].startswith(first):
                yield entry("volume", volume["Name"], about, False)


def _free(engine: Engine, name: str) -> bool:
    remove(engine, name)
    return True
