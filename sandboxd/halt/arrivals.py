"""Finds what the host brought into a folder that is shut inside, and puts copies in the place of files.

A program inside may have the file open since it lay where inside can write, or know it by a second name: it could write
it there as long as it runs. A copy is another file, with the bytes of the moment. A program that saves by writing
elsewhere and renaming loses nothing by it. A link is no file of its own: what it leads to may be open inside.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.observe.mount_table import Identity
from sandboxd.plan import beneath, second_names
from sandboxd.plan.links_in_pins import way_of

_MOST_ENTRIES = 500
"""Entries of each folder that are looked at, those below included; what is seen to be moved there always is."""
_MOST_LISTED = 5_000
"""Entries of each folder that are asked for folders below: to list them takes no look at each."""
_KINDS = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
_LARGEST = 64 << 20
"""Bytes of a file that is copied."""
_ATTEMPTS = 3
_STILL_SECONDS = 0.3
"""For which a file is not written, so that the program of the host that may be making it is done."""
AGAIN_SECONDS = 0.1
"""Between two looks at a file that is being written."""
_PATIENCE_SECONDS = 2.0
"""From the first look at a file that is being written to the halt."""

_one_at_a_time = threading.Lock()
"""Several containers may have one workspace, and each is watched in a thread of its own."""


class Origins(NamedTuple):
    """How entries of shut folders came there, as far as it was seen, by absolute paths.

    `fresh` were created there, so that no program inside can have opened them. `moved` came from another folder.
    """

    fresh: Collection[str] = ()
    moved: Collection[str] = ()


class Arrivals:
    """Remembers what is in shut folders.

    :param workspace: the absolute path of the workspace
    :param folders: absolute paths in it; missing ones are ignored
    """

    def __init__(self, workspace: str, folders: Iterable[str]) -> None:
        self._workspace = workspace
        self._tops = tuple(folders)
        self._known = {_identity(status) for _, status in self._entries()}
        self._waiting: dict[str, float] = {}
        """When files were first seen that are still being written."""

    def folders(self) -> tuple[str, ...]:
        """Absolute paths of the folders, and of those below."""
        return tuple(path for top in self._tops if _is_folder(top) for path in _folders(top))

    @property
    def is_waiting(self) -> bool:
        """Whether to call `part` again after `AGAIN_SECONDS`."""
        return bool(self._waiting)

    def part(self, origins: Origins) -> tuple[str, ...]:
        """Put copies in the place of files that came from elsewhere since the last call.

        :returns: absolute paths of what a program inside may go on writing: folders, files that cannot be replaced, and
            links to what is not shut
        """
        known, open_ones, waiting = set(), [], {}
        for path, status in self._entries_with(origins.moved):
            identity = _identity(status)
            if stat.S_ISLNK(status.st_mode):
                if identity not in self._known and self._leads_to_open(path):
                    open_ones.append(path)
                else:
                    known.add(identity)
            elif path not in origins.moved and (identity in self._known or path in origins.fresh):
                known.add(identity)
            elif stat.S_ISDIR(status.st_mode):
                # One in a folder that was just made is most often made, too.
                if path in origins.moved:
                    open_ones.append(path)
                known.add(identity)
            elif path not in origins.moved and not _is_still(status):
                waiting[path] = self._waiting.get(path, time.monotonic())
            elif (copy := self._replace(path)) is not None:
                known.add(copy)
            else:
                open_ones.append(path)
        late = [path for path, since in waiting.items() if _is_late(since)]
        self._known, self._waiting = known, waiting
        return (*open_ones, *late)

    def _entries_with(self, moved: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
        """The same as `_entries`, and what is known to have been moved there, however many entries there are."""
        rest = {*moved}
        for path, status in self._entries():
            rest.discard(path)
            yield path, status
        for path in sorted(rest):
            present = _status(path)
            if present is not None and stat.S_IFMT(present.st_mode) in _KINDS:
                yield path, present

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """The files, folders and links below the tops, each with its status; no link is followed."""
        for top in self._tops:
            left, folders = _MOST_ENTRIES, [top]
            while folders and left > 0:
                folder = folders.pop()
                for name in _names(folder)[:left]:
                    left -= 1
                    path = posixpath.join(folder, name)
                    status = _status(path)
                    if status is None:
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(path)
                    elif not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                        continue
                    yield path, status

    def _leads_to_open(self, link: str) -> bool:
        """Whether a link leads to, or over, a path of the workspace that programs inside can write."""
        try:
            way = way_of(link)
        except OSError:
            return False
        shut = tuple(f"{path}/" for path in (*self._tops, f"{self._workspace}/.git"))
        return any(
            f"{path}/".startswith(f"{self._workspace}/") and not f"{path}/".startswith(shut)
            for path in way
        )

    def _replace(self, path: str) -> Identity | None:
        """The identity of the copy that is at `path` now, or of nothing if nothing is; None if it cannot be replaced."""
        relative = posixpath.relpath(path, self._workspace)
        name = posixpath.basename(path)
        for _ in range(_ATTEMPTS):
            try:
                with (
                    _one_at_a_time,
                    beneath.open_folder(self._workspace) as root,
                    beneath.parent_of(root, relative, create=False) as folder,
                ):
                    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_size > _LARGEST:
                        return None
                    second_names.replace_by_copy(folder, name, if_same=True)
                    return _identity(os.stat(name, dir_fd=folder, follow_symlinks=False))
            except FileNotFoundError:
                # The host moved it on.
                return Identity(0, 0)
            except second_names.Changed:
                continue
            except (OSError, SandboxdError):
                return None
        return None


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _folders(top: str) -> Iterator[str]:
    """A folder and those below it; no link is followed."""
    yield top
    left, folders = _MOST_LISTED, [top]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if left == 0:
                    return
                left -= 1
                if entry.is_dir(follow_symlinks=False):
                    yield entry.path
                    folders.append(entry.path)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_folder(path: str) -> bool:
    status = _status(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def _identity(status: os.stat_result) -> Identity:
    return Identity(status.st_dev, status.st_ino)


def _is_still(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _STILL_SECONDS


def _is_late(since: float) -> bool:
    return time.monotonic() - since > _PATIENCE_SECONDS
