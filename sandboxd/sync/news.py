"""What is worked out of a side's snapshots, path by path: once for all paths, and from then on for those that are news.

Each result is that of a look at all paths. A snapshot that does not follow the one before has them all looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from sandboxd.sync.state import Content, Snapshot


class Sequel:
    """Whether each snapshot follows the one before it without a gap."""

    def __init__(self) -> None:
        self._at: object | None = None

    def paths(self, snapshot: Snapshot) -> Collection[str] | None:
        """The paths that are news since the last call; None where any path may be."""
        news, at = snapshot.news, self._at
        self._at = None if news is None else news.at
        if news is None or at is None:
            return None
        if news.at is at:
            return ()
        return news.paths if news.since is at else None

    def forget(self) -> None:
        """Have every path of the next snapshot be news."""
        self._at = None


class Selection:
    """The paths of a side's entries that `has` holds of."""

    def __init__(self, has: Callable[[str], bool]) -> None:
        self._has, self._sequel = has, Sequel()
        self._paths: set[str] = set()

    def of(self, snapshot: Snapshot) -> Collection[str]:
        """Those of `snapshot`."""
        paths = self._sequel.paths(snapshot)
        if paths is None:
            self._paths = set(filter(self._has, snapshot.entries))
            return self._paths
        for path in filter(self._has, paths):
            if path in snapshot.entries:
                self._paths.add(path)
            else:
                self._paths.discard(path)
        return self._paths


class Differences:
    """The paths at which a side has something else than the common content."""

    def __init__(self) -> None:
        self._sequel = Sequel()
        self._paths: set[str] = set()
        self._agreed: set[str] = set()

    def note(self, paths: Iterable[str]) -> None:
        """Take in that the common content of `paths` may be another one now."""
        self._agreed.update(paths)

    def forget(self) -> None:
        """Take in that all of the common content may be another one now."""
        self._sequel.forget()

    def of(self, snapshot: Snapshot, agreed: Mapping[str, Content]) -> Collection[str]:
        """Those of `snapshot`."""
        paths = self._sequel.paths(snapshot)
        noted, self._agreed = self._agreed, set()
        if paths is None:
            self._paths = differences(snapshot, agreed)
            return self._paths
        for path in {*paths, *noted}:
            if agreed.get(path) == snapshot.content(path):
                self._paths.discard(path)
            else:
                self._paths.add(path)
        return self._paths


def differences(snapshot: Snapshot, agreed: Mapping[str, Content]) -> set[str]:
    """The paths at which `snapshot` has something else than `agreed`, by a look at all of them."""
    entries = snapshot.entries
    paths = {path for path, entry in entries.items() if agreed.get(path) != entry.content}
    paths.update(agreed.keys() - entries.keys())
    return paths
