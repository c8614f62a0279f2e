"""The policy by what git on the host says of a folder: what it ignores stays on the side where it was made, unless the
user wants it, and what a setting of it names is never copied out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from sandboxd.lint import gitignore
from sandboxd.lint.gitignore import Ignore
from sandboxd.plan.hiding import NOTHING, Hiding
from sandboxd.plan.named_paths import Named, named
from sandboxd.review.hide.reader import Reader
from sandboxd.sync.flows import Policy, decides_of_others
from sandboxd.sync.news import Selection
from sandboxd.sync.state import Snapshot, above

_Status = tuple[int, ...] | None


class GitIgnored:
    """The policies for the folder `workspace` on the host, each by its ignore files and its index at one moment.

    :param of_user: the path of the user's own patterns for all repositories; '' for none
    :param hiding: which files are not sent, and not taken from inside
    :param wanted: patterns, as of a `.gitignore`, of ignored paths that are copied all the same
    """

    def __init__(
        self,
        workspace: str,
        of_user: str,
        wanted: Iterable[str],
        hiding: Hiding = NOTHING,
        by_settings: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._workspace, self._of_user = workspace, of_user
        self._reader = Reader(workspace, hiding) if hiding != NOTHING else None
        self._wanted = gitignore.parse("\n".join(wanted))
        self._rules = _Rules(workspace, of_user)
        self._by_settings = by_settings
        self._ignore_files = Selection(decides_of_others)
        self._policy = self._policy_by(self._rules, named(by_settings()))

    def of(self, host: Snapshot | None) -> Policy:
        """The policy by the ignore files and settings that the host has; `host` names those ignore files that it has now."""
        paths, holds = named(self._by_settings()), self._rules.holds(host, self._ignore_files)
        if not holds:
            self._rules = _Rules(self._workspace, self._of_user)
        if not holds or paths != self._policy.named:
            self._policy = self._policy_by(self._rules, paths)
        return self._policy

    def _policy_by(self, rules: _Rules, paths: Named) -> Policy:
        wanted = Ignore(self._workspace, self._wanted, None)

        def is_wanted(path: str, is_folder: bool) -> bool:
            while path:
                if wanted.ignores(f"{self._workspace}/{path}", is_folder, as_git=True):
                    return True
                path, is_folder = above(path), True
            return False

        policy = Policy(is_ignored=rules.is_ignored, is_wanted=is_wanted, named=paths)
        if self._reader is None:
            return policy
        return policy._replace(is_hidden=self._reader.is_hidden)


class _Rules:
    """The patterns of one moment; those of a folder are read when it is first asked about."""

    def __init__(self, workspace: str, of_user: str) -> None:
        self._workspace = workspace
        self._of_user, self._index = of_user, f"{workspace}/.git/index"
        others = (of_user, f"{workspace}/.git/info/exclude")
        self._others = {path: _status(path) for path in others if path}
        self._index_status = _status(self._index)
        self._tracked: dict[tuple[str, bool], bool] = {}
        self._read: dict[str, _Status] = {".gitignore": _status(f"{workspace}/.gitignore")}
        self._root = gitignore.for_folder(workspace, of_user)
        self._levels: dict[str, Ignore | None] = {"": self._root}

    def is_ignored(self, path: str, is_folder: bool) -> bool:
        level = self._level(above(path))
        full = f"{self._workspace}/{path}"
        if level is None or not level.ignores(full, is_folder, as_git=True):
            return False
        if (path, is_folder) not in self._tracked:
            self._tracked[path, is_folder] = self._tracks(path, is_folder)
        return not self._tracked[path, is_folder]

    def _tracks(self, path: str, is_folder: bool) -> bool:
        return self._root is not None and self._root.tracks(f"{self._workspace}/{path}", is_folder)

    def holds(self, host: Snapshot | None, ignore_files: Selection) -> bool:
        """Whether nothing that was read has changed, and the host has no further ignore files."""
        if any(_status(path) != status for path, status in self._others.items()):
            return False
        if not self._index_holds():
            return False
        if host is None:
            return True
        for path in ignore_files.of(host):
            entry = host.entries[path]
            if not entry.is_folder:
                status = (entry.inode, entry.size, entry.mtime, entry.ctime)
                if self._read.get(path, status) != status:
                    return False
        # One that ignores itself, as tools write it into their caches, is not among the host's entries.
        return all(
            path in host.entries or _status(f"{self._workspace}/{path}") == status
            for path, status in self._read.items()
            if status is not None
        )

    def _index_holds(self) -> bool:
        """Whether git tracks the same of what is ignored; most commands of git write the index."""
        status = _status(self._index)
        if status != self._index_status:
            self._root = gitignore.for_folder(self._workspace, self._of_user)
            self._index_status = status
            return all(self._tracks(*asked) is tracked for asked, tracked in self._tracked.items())
        return True

    def _level(self, folder: str) -> Ignore | None:
        """The patterns that apply in a folder."""
        missing = []
        while folder not in self._levels:
            missing.append(folder)
            folder = above(folder)
        level = self._levels[folder]
        for each in reversed(missing):
            if level is not None:
                full = f"{self._workspace}/{each}"
                if level.ignores(full, True, as_git=True):
                    level = level.whole(full)
                else:
                    self._read[f"{each}/.gitignore"] = _status(f"{full}/.gitignore")
                    level = level.below(full)
            self._levels[each] = level
        return level


def _status(path: str) -> _Status:
    """What every change of a file changes; None for none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
