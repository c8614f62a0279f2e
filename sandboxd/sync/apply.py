"""Applies changes in a folder that others write in: each only if the folder still contains what was compared.

Every folder is opened from the one above it, so no link is followed. Files appear completely or not at all. What is
overwritten or removed is first renamed, checked once more, and put back if it is not what was compared: so a file that
the user saves meanwhile is never lost.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange.copying import Owner
from sandboxd.plan import beneath
from sandboxd.sync.renaming import rename_free, swap
from sandboxd.sync.retention import Retention
from sandboxd.sync.scan import read_entry
from sandboxd.sync.state import Content, Entry, Kind
from sandboxd.sync.steps import Act, Step
from sandboxd.sync.wire import TEMPORARY
from sandboxd.sync.writer import with_executable

CHANGED = "it changed meanwhile"
FULL_BEFORE = "something else could not be written before"
_NO_ROOM = "what it overwrites or removes would not fit among what is kept of that"
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_OURS = frozenset((stat.S_IFREG, stat.S_IFLNK))


class Skip(NamedTuple):
    """A step that was not done, and why; its path is compared again. `is_full`: the disk has no room."""

    step: Step
    why: str
    is_full: bool = False


class _NotDone(Exception):
    """A step is not done: the reason."""


class Source(NamedTuple):
    """The other side, from which content is read.

    :ivar read: yields the bytes of the file at a path; raises OSError or SandboxdError if there is none
    :ivar is_gone: whether nothing exists at a path, so that it may be removed here
    """

    read: Callable[[str], Iterator[bytes]]
    is_gone: Callable[[str], bool]


class Target:
    """The open folder `root`, in which steps are done.

    :param retention: where removed and overwritten files are kept
    :param owner: the owner of new files and folders
    :param why_no_link: returns the reason why a link at a path to a target must not be created; '' if it may
    :param is_settled: whether every later change of a compared entry would change its times; if not, its bytes are
        compared
    :param is_made: whether a step overwrites or removes what was written for the other side
    """

    def __init__(
        self,
        root: int,
        retention: Retention,
        owner: Owner,
        why_no_link: Callable[[str, str], str] = lambda _path, _target: "",
        is_settled: Callable[[Entry], bool] = lambda _entry: False,
        is_made: Callable[[Step], bool] = lambda _step: False,
    ) -> None:
        self._root, self._retention, self._owner = root, retention, owner
        self._why_no_link, self._is_settled, self._is_made = why_no_link, is_settled, is_made

    def apply(self, steps: Iterable[Step], source: Source) -> tuple[Skip, ...]:
        """Do `steps` in their order; return those that were not done.

        Once the disk is full, nothing more is removed: it could be the last copy of a file that was renamed.
        """
        skips: list[Skip] = []
        for step in steps:
            is_full = any(skip.is_full for skip in skips)
            if is_full and step.act is Act.REMOVE:
                skips.append(Skip(step, FULL_BEFORE))
                continue
            try:
                with beneath.parent_of(self._root, step.path, create=False) as folder:
                    self._do(folder, os.path.basename(step.path), step, source)
            except _NotDone as error:
                skips.append(Skip(step, str(error)))
            except SandboxdError as error:
                skips.append(Skip(step, error.message))
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                skips.append(Skip(step, why, error.errno in FULL))
        return tuple(skips)

    def recover(self, path: str) -> None:
        """Move what a killed run left at `path` into the retention folder: it may be the last copy of a file.

        It stays if it does not fit there, or is of a kind that no run creates.

        :raises OSError: it cannot be moved
        :raises SandboxdError: a link is on the path
        """
        with beneath.parent_of(self._root, path, create=False) as folder:
            name = os.path.basename(path)
            status = os.lstat(name, dir_fd=folder)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=folder)
            elif stat.S_IFMT(status.st_mode) in _OURS and self._retention.has_room(status.st_size):
                self._retention.put(folder, name, path, None)

    def _do(self, folder: int, name: str, step: Step, source: Source) -> None:
        before, after = step.before, step.after
        if step.act is Act.ASIDE:
            self._check(folder, name, before)
            rename_free(folder, name, step.name)
        elif step.act is Act.MODE:
            assert after is not None
            _set_executable(folder, name, before, after.executable)
        elif step.act is Act.REMOVE:
            self._remove(folder, name, step, source)
        elif after is not None and after.kind is Kind.FOLDER:
            os.mkdir(name, dir_fd=folder)
            os.chown(name, *self._owner, dir_fd=folder, follow_symlinks=False)
        elif after is not None:
            self._write(folder, name, step, after, source)

    # -- what is written

    def _write(self, folder: int, name: str, step: Step, after: Content, source: Source) -> None:
        self._check(folder, name, step.before)
        if step.before is not None and not self._retention.has_room(step.before.size):
            raise _NotDone(_NO_ROOM)
        temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
        inode = None
        try:
            if after.kind is Kind.LINK:
                if why := self._why_no_link(step.path, after.text):
                    raise _NotDone(why)
                os.symlink(after.text, temporary, dir_fd=folder)
                os.chown(temporary, *self._owner, dir_fd=folder, follow_symlinks=False)
            else:
                self._write_file(folder, temporary, step, after, source)
            inode = os.lstat(temporary, dir_fd=folder).st_ino
            if step.before is None:
                rename_free(folder, temporary, name)
            else:
                self._take_place(folder, temporary, name, step, step.before)
        except BaseException:
            with contextlib.suppress(OSError):
                # Once it has the name, what was there has this one: a later start keeps that.
                if inode is None or os.lstat(temporary, dir_fd=folder).st_ino == inode:
                    os.unlink(temporary, dir_fd=folder)
            raise

    def _write_file(
        self, folder: int, name: str, step: Step, after: Content, source: Source
    ) -> None:
        """Write the bytes that were compared, and no others, with at most the permissions that the file had."""
        replaced = step.before if step.before and stat.S_ISREG(step.before.mode) else None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o666 if replaced is None else 0o600, dir_fd=folder)
        with open(descriptor, "wb") as file:
            digest = hashlib.sha256()
            for chunk in source.read(step.path):
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != after.text:
                raise _NotDone(CHANGED)
            file.flush()
            os.fchown(descriptor, *self._owner)
            status = os.fstat(descriptor)
            mode = stat.S_IMODE(status.st_mode if replaced is None else replaced.mode) & 0o777
            os.fchmod(descriptor, with_executable(mode, after.executable))
            os.fsync(descriptor)

    def _take_place(
        self, folder: int, temporary: str, name: str, step: Step, before: Entry
    ) -> None:
        """Have the new file `temporary` at `name`, and keep what was there."""
        new = os.lstat(temporary, dir_fd=folder).st_ino
        if not swap(folder, temporary, name):
            self._take_away(folder, name, step, before)
            rename_free(folder, temporary, name)
            return
        if self._is_same(folder, temporary, before):
            self._retention.put(
                folder, temporary, step.path, before.content, counts=not self._is_made(step)
            )
            return
        swap(folder, temporary, name)
        if os.lstat(temporary, dir_fd=folder).st_ino != new:
            # Two saves of the user's in this moment: the later one stays, and the other is kept.
            swap(folder, temporary, name)
            self._retention.put(folder, temporary, step.path, None)
        raise _NotDone(CHANGED)

    # -- what is removed

    def _remove(self, folder: int, name: str, step: Step, source: Source) -> None:
        before = step.before
        assert before is not None
        if step.after is None and not source.is_gone(step.path):
            raise _NotDone(CHANGED)
        if before.is_folder:
            # Only an empty one goes: what nobody compared in it stays.
            os.rmdir(name, dir_fd=folder)
            return
        self._check(folder, name, before)
        if not self._retention.has_room(before.size):
            raise _NotDone(_NO_ROOM)
        self._take_away(folder, name, step, before)

    def _take_away(self, folder: int, name: str, step: Step, before: Entry) -> None:
        temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
        rename_free(folder, name, temporary)
        if self._is_same(folder, temporary, before):
            self._retention.put(
                folder, temporary, step.path, before.content, counts=not self._is_made(step)
            )
            return
        try:
            rename_free(folder, temporary, name)
        except FileExistsError:
            self._retention.put(folder, temporary, step.path, None)
        raise _NotDone(CHANGED)

    # -- what is there

    def _check(self, folder: int, name: str, before: Entry | None) -> None:
        """See that `name` is what was compared.

        :raises _NotDone: it is not
        """
        try:
            os.lstat(name, dir_fd=folder)
        except FileNotFoundError:
            if before is None:
                return
            raise _NotDone(CHANGED) from None
        if before is None or not self._is_same(folder, name, before, ctime=True):
            raise _NotDone(CHANGED)

    def _is_same(self, folder: int, name: str, before: Entry, *, ctime: bool = False) -> bool:
        """Whether `name` is the entry that was compared, and as it was; a rename changes its `ctime`."""
        if not _has_status(before, os.lstat(name, dir_fd=folder), ctime=ctime):
            return False
        if before.content.kind is Kind.LINK:
            return os.readlink(name, dir_fd=folder) == before.content.text
        if before.is_folder or self._is_settled(before):
            return True
        entry = read_entry(folder, name, before.size)
        return entry is not None and entry.content.text == before.content.text


def _has_status(before: Entry, status: os.stat_result, *, ctime: bool) -> bool:
    """Whether an entry with `status` can be the one that was compared, and as it was."""
    if stat.S_IFMT(status.st_mode) != stat.S_IFMT(before.mode) or status.st_ino != before.inode:
        return False
    if before.is_folder:
        return True
    is_old = (status.st_size, status.st_mtime_ns) == (before.size, before.mtime)
    return is_old and (not ctime or status.st_ctime_ns == before.ctime)


def _set_executable(folder: int, name: str, before: Entry | None, executable: bool) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if before is None or not _has_status(before, status, ctime=True):
            raise _NotDone(CHANGED)
        mode = stat.S_IMODE(status.st_mode)
        os.fchmod(descriptor, with_executable(mode, executable))
    finally:
        os.close(descriptor)
