"""Checks the snapshot of an untrusted side: entries that no folder can have become unknown, so that nothing is done
there.
"""

from __future__ import annotations

import re

from sandboxd.sync.state import Entry, Kind, Snapshot, above, order

_LONGEST_PATH = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PARTS = frozenset(("", ".", ".."))
_LIE = "the sandbox says of it what cannot be"


def checked(snapshot: Snapshot) -> Snapshot:
    """`snapshot` without entries whose path or content is impossible, and without those below something that is not a
    folder.
    """
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
    unknown = {path: why for path, why in unknown.items() if is_path(path)}
    excluded = frozenset(path for path in snapshot.excluded if is_path(path))
    return snapshot._replace(entries=entries, unknown=unknown, excluded=excluded)


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
