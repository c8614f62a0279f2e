"""The entries of a side at one moment after another, without a copy of those that did not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sandboxd.sync.state import Entry

_LEAST = 1000
_SHARE = 32
"""So many changes, or such a part of all entries, are few: to copy them each time costs nothing."""


class Overlay(Mapping[str, Entry]):
    """`base`, which nobody changes any more, with `changes`; None is for an entry that is gone."""

    def __init__(self, base: Mapping[str, Entry], changes: Mapping[str, Entry | None]) -> None:
        self._base, self._changes = base, changes
        present = sum(entry is not None for entry in changes.values())
        self._size = len(base) - sum(path in base for path in changes) + present

    def __getitem__(self, path: str) -> Entry:
        entry = self._changes[path] if path in self._changes else self._base[path]
        if entry is None:
            raise KeyError(path)
        return entry

    def __contains__(self, path: object) -> bool:
        if path in self._changes:
            return self._changes[path] is not None  # type: ignore[index]
        return path in self._base

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        yield from (path for path in self._base if path not in self._changes)
        yield from (path for path, entry in self._changes.items() if entry is not None)


class Moments:
    """Shows the entries that `present` has at one moment; what was shown never changes."""

    def __init__(self, present: Mapping[str, Entry]) -> None:
        self._present = present
        self._base: dict[str, Entry] | None = None
        self._changes: dict[str, Entry | None] = {}
        self._shown: Mapping[str, Entry] = {}

    def show(self, news: Iterable[str]) -> Mapping[str, Entry]:
        """The entries now.

        :param news: the paths whose entry may be another one since the last call, or is gone
        """
        changes = {path: self._present.get(path) for path in news}
        if self._base is not None and not changes:
            return self._shown
        if self._base is not None and self._are_few(len(changes) + len(self._changes)):
            self._changes = {**self._changes, **changes}
            self._shown = Overlay(self._base, self._changes)
        else:
            self._shown = self._base = dict(self._present)
            self._changes = {}
        return self._shown

    def _are_few(self, count: int) -> bool:
        return count <= max(_LEAST, len(self._present) // _SHARE)
