"""Checks the snapshot of an untrusted side: entries that no folder can have become unknown, so that nothing is done
there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from sandboxd.sync.news import Sequel
from sandboxd.sync.state import Entry, Kind, Snapshot, above, order

_LONGEST_PATH = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PARTS = frozenset(("", ".", ".."))
_LIE = "the sandbox says of it what cannot be"


class Check:
    """Checks each snapshot of one side: where the one before was right, the news alone."""

    def __init__(self) -> None:
        self._sequel = Sequel()

    def checked(self, snapshot: Snapshot) -> Snapshot:
        """What the function `checked` makes of it."""
        paths = self._sequel.paths(snapshot)
        if paths is not None and _is_right_at(paths, snapshot.entries):
            return _with_right_paths(snapshot)
        right = checked(snapshot)
        if right.news is None:
            self._sequel.forget()
        return right


def checked(snapshot: Snapshot) -> Snapshot:
    """`snapshot` without entries whose path or content is impossible, and without those below something that is not a
    folder.
    """
    snapshot = _with_right_paths(snapshot)
    # Sorting takes longer than all else, and is of use only where something is wrong.
    return snapshot if _is_right(snapshot.entries) else _with_lies_unknown(snapshot)


def _with_right_paths(snapshot: Snapshot) -> Snapshot:
    unknown = {path: why for path, why in snapshot.unknown.items() if is_path(path)}
    excluded = frozenset(path for path in snapshot.excluded if is_path(path))
    return snapshot._replace(unknown=unknown, excluded=excluded)


def _is_right_at(paths: Collection[str], entries: Mapping[str, Entry]) -> bool:
    """Whether the entries at `paths` are possible, and in folders; no folder is gone."""
    for path in paths:
        entry = entries.get(path)
        if entry is None:
            continue
        folder = entries.get(above(path))
        is_in_folder = not above(path) or (folder is not None and folder.is_folder)
        if not (is_in_folder and is_path(path) and _is_possible(entry)):
            return False
    return True


def _is_right(entries: Mapping[str, Entry]) -> bool:
    """Whether every entry is possible, and in a folder that is one of them."""
    folders = {path for path, entry in entries.items() if entry.content.kind is Kind.FOLDER}
    folders.add("")
    return all(
        path.rpartition("/")[0] in folders and is_path(path) and _is_possible(entry)
        for path, entry in entries.items()
    )


def _with_lies_unknown(snapshot: Snapshot) -> Snapshot:
    entries: dict[str, Entry] = {}
    unknown = dict(snapshot.unknown)
    for path in sorted(snapshot.entries, key=order):
        entry = snapshot.entries[path]
        folder = above(path)
        is_in_folder = not folder or (folder in entries and entries[folder].is_folder)
        if not is_path(path):
            continue
        if is_in_folder and _is_possible(entry):
            entries[path] = entry
        else:
            unknown[path] = _LIE
    # What is news of it is not what is news of what was said.
    return snapshot._replace(entries=entries, unknown=unknown, news=None)


def is_path(path: str) -> bool:
    """Whether `path` is the normal form of a path below a folder."""
    return len(path) <= _LONGEST_PATH and "\0" not in path and _PARTS.isdisjoint(path.split("/"))


def _is_possible(entry: Entry) -> bool:
    kind, text, executable = entry.content
    if kind is Kind.FILE:
        return bool(_SHA256.match(text))
    if executable:
        return False
    return not text if kind is Kind.FOLDER else bool(text) and "\0" not in text
