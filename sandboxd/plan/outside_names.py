"""Parts files of a workspace from the names that they have outside of it, such as those in the caches of uv and pnpm.

Package managers on the host give `.venv` and `node_modules` hard links to the files of a cache that all projects of a user
share. A program inside writes such a file where it lies, and another project runs it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.files import flush_file_system
from sandboxd.plan import beneath
from sandboxd.plan.second_names import replace_by_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sandboxd.model.container import Mount

FOLDERS_OF_PACKAGES = ("node_modules", ".venv", "venv")
"""Where package managers link files of their caches; they are looked at first."""
_MOST_ENTRIES = 100_000
"""It takes 6 microseconds of processor time for each."""
_DEEPEST = 64
_MOST_BYTES = 4 << 30
_FEWEST = 3
"""Some packages link one or two files of theirs to each other (esbuild), in a part that a sample may not have."""
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Parted(NamedTuple):
    """How many files were replaced by copies and their bytes, the folders at the top that have them ('' for the top
    itself), and whether none is left that may have a name outside.
    """

    number: int
    size: int
    folders: tuple[str, ...]
    is_whole: bool


class _File(NamedTuple):
    path: str
    size: int


def part_outside(workspace: str, skipped: Collection[str]) -> Parted:
    """Replace each file that has a hard link outside of a workspace by a copy; the other names keep the old file.

    To be called when nothing inside runs. Symbolic links are not followed.

    :param skipped: paths within the workspace that a mount hides, or makes read-only
    :raises UsageError: the workspace cannot be opened
    :raises EnvironmentFailure: a file cannot be replaced for another reason than a right that is missing
    """
    path, done, size, tops, is_left = workspace, 0, 0, set(), False
    with beneath.open_folder(workspace) as root:
        walk = _Walk(_MOST_ENTRIES, skipped)
        walk.visit(root, "", 0)
        files = walk.with_outside_names()
        room = os.fstatvfs(root).f_bavail * os.fstatvfs(root).f_frsize // 2
        most = min(_MOST_BYTES, room)
        try:
            with _flushing() as note:
                for path, length in files:
                    if size + length > most:
                        is_left = True
                        continue
                    with (
                        contextlib.suppress(FileNotFoundError),
                        beneath.parent_of(root, path, create=False) as folder,
                    ):
                        try:
                            replace_by_copy(folder, os.path.basename(path), is_flushed=False)
                            note(folder)
                        except PermissionError:
                            is_left = True
                            continue
                        except OSError as error:
                            # A disk that is mounted read-only here: nothing inside can write there either.
                            if error.errno == errno.EROFS:
                                continue
                            raise
                        done, size = done + 1, size + length
                        tops.add(path.partition("/")[0] if "/" in path else "")
        except OSError as error:
            raise beneath.cannot_write(path, error) from None
    return Parted(done, size, tuple(sorted(tops)), walk.is_whole and not is_left)


def folders_with_outside_names(workspace: str, most: int = 1_000) -> tuple[str, ...]:
    """The folders of packages at the top of which some files seem to have names outside of the workspace.

    A part of each is looked at.

    :param most: the entries of each that are looked at
    """
    folders = []
    for name in FOLDERS_OF_PACKAGES:
        with contextlib.suppress(OSError):
            descriptor = os.open(os.path.join(workspace, name), _FLAGS)
            try:
                walk = _Walk(most, ())
                walk.visit(descriptor, "", 0)
            finally:
                os.close(descriptor)
            if len(walk.with_outside_names()) >= _FEWEST:
                folders.append(name)
    return tuple(folders)


def hidden_paths(mounts: Iterable[Mount], workspace: str, target: str) -> set[str]:
    """The paths within a workspace that programs inside do not see, or cannot write, as something else is mounted there.

    :param target: the path inside at which the workspace is mounted
    """
    return {
        os.path.relpath(mount.target, target)
        for mount in mounts
        if mount.target.startswith(f"{target}/")
        and (mount.read_only or not mount.source.startswith(f"{workspace}/"))
    }


@contextlib.contextmanager
def _flushing() -> Iterator[Callable[[int], None]]:
    """A function to be called with each open folder in which a file was written: what was is on its disk after the block.

    Other disks are not waited for, such as one whose server is gone.

    :raises OSError: it cannot be written there
    """
    folders: dict[int, int] = {}

    def note(folder: int) -> None:
        if (device := os.fstat(folder).st_dev) not in folders:
            folders[device] = os.dup(folder)

    try:
        yield note
    finally:
        try:
            for folder in folders.values():
                flush_file_system(folder)
        finally:
            for folder in folders.values():
                os.close(folder)


class _Walk:
    def __init__(self, most: int, skipped: Collection[str]) -> None:
        self.is_whole = True
        self._left = most
        self._skipped = skipped
        self._names: dict[tuple[int, int], list[_File]] = {}
        self._links: dict[tuple[int, int], int] = {}

    def with_outside_names(self) -> list[_File]:
        """Files of which fewer names were met than they have."""
        return [
            file
            for inode, files in self._names.items()
            if len(files) < self._links[inode]
            for file in files
        ]

    def visit(self, folder: int, path: str, depth: int) -> None:
        """Look at what is in an open folder, and below."""
        try:
            with os.scandir(folder) as entries:
                folders = list(self._folders_of(entries, path))
        except OSError:
            self.is_whole = False
            return
        if folders and depth == _DEEPEST:
            self.is_whole = False
            return
        for name in sorted(folders, key=lambda name: (name not in FOLDERS_OF_PACKAGES, name)):
            if self._left < 0:
                return
            try:
                below = os.open(name, _FLAGS, dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError:
                self.is_whole = False
                continue
            try:
                self.visit(below, f"{path}{name}/", depth + 1)
            finally:
                os.close(below)

    def _folders_of(self, entries: Iterator[os.DirEntry[str]], path: str) -> Iterator[str]:
        """The folders among the entries; files with further names are noted."""
        for entry in entries:
            self._left -= 1
            if self._left < 0:
                self.is_whole = False
                return
            if f"{path}{entry.name}" in self._skipped:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield entry.name
            elif not entry.is_symlink():
                with contextlib.suppress(FileNotFoundError):
                    self._note(entry.stat(follow_symlinks=False), f"{path}{entry.name}")

    def _note(self, status: os.stat_result, path: str) -> None:
        if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
            inode = status.st_dev, status.st_ino
            self._names.setdefault(inode, []).append(_File(path, status.st_size))
            self._links[inode] = status.st_nlink
