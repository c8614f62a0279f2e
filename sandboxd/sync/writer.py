"""Changes the folder inside as the host asks: only what is still as it was compared, and files appear as a whole.

Sent in behind the texts of `wire` and `renaming`: standard library only, for Python 3.8. It follows no link below the
folder. What is replaced or removed is first renamed, checked once more, and put back if it is not what was compared: so
a file that is saved inside meanwhile is never lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import stat
from typing import NamedTuple

from sandboxd.sync.renaming import rename_free, swap
from sandboxd.sync.wire import (
    FLUSH,
    MAKE_FOLDER,
    MAKE_LINK,
    RECOVER,
    REMOVE,
    RENAME,
    SET_MODE,
    TEMPORARY,
    WRITE,
    Change,
)

_PIECE = 1 << 20
_BELOW = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""The flags with which a file of a side is opened: no link is followed, and no pipe waited for."""
_OLD = TEMPORARY + "old-"
"""The prefix of temporary names at which a file of the sandbox's may be, and not only one of ours."""


def open_below(root: int, path: str) -> int:
    """Open the folder at `path` below the open folder `root`, following no link; '' is `root` itself.

    :raises OSError: there is no such folder
    """
    current = os.dup(root)
    for part in path.split("/") if path else ():
        try:
            below = os.open(part, _BELOW, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


class Written(NamedTuple):
    """A file that was written: its state afterwards, and the SHA-256 of its bytes."""

    status: os.stat_result
    digest: bytes


class Writer:
    """Changes the open folder `root`, one entry at a time."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._file: _NewFile | None = None

    def change(self, change: Change) -> bool:
        """Do `change`; False for a file, which is complete after its last part, see `add`.

        :raises OSError: it is not done; of a file that is only said at its end
        """
        if change.act == WRITE:
            self._file = _NewFile(self._root, change)
            return False
        if change.act == FLUSH:
            _flush(self._root)
            return True
        path = os.fsdecode(change.path)
        folder = open_below(self._root, path.rpartition("/")[0])
        try:
            _ACTS[change.act](folder, path.rpartition("/")[2], change)
        finally:
            os.close(folder)
        return True

    def add(self, part: bytes) -> Written | None:
        """Add `part` to the file that is being written; b'' ends it. None until it is complete.

        :raises OSError: the file is not written; said when it ends
        """
        if self._file is None:
            raise OSError(errno.EINVAL, "no file is being written")
        if part:
            self._file.add(part)
            return None
        file, self._file = self._file, None
        return file.finish()


class _NewFile:
    """A file whose bytes arrive one part after the other. Once it failed, further parts are dropped."""

    def __init__(self, root: int, change: Change) -> None:
        path = os.fsdecode(change.path)
        self._name = path.rpartition("/")[2]
        self._change = change
        is_replaced = change.before and stat.S_ISREG(change.before[0])
        self._mode_before = change.before[0] if is_replaced else None
        self._error: OSError | None = None
        self._folder = self._descriptor = -1
        self._temporary = _temporary(change)
        self._digest = hashlib.sha256()
        try:
            self._folder = open_below(root, path.rpartition("/")[0])
            _check(self._folder, self._name, change)
            mode = 0o666 if self._mode_before is None else 0o600
            self._descriptor = os.open(self._temporary, _NEW, mode, dir_fd=self._folder)
        except OSError as error:
            self._error = error

    def add(self, part: bytes) -> None:
        """Write `part`, unless something failed before."""
        if self._error is not None:
            return
        self._digest.update(part)
        view = memoryview(part)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            self._error = error

    def finish(self) -> Written:
        """Have the file at its path, and close everything.

        :raises OSError: it could not be written, its bytes are not those that were compared, or something else is at
            its path by now
        """
        try:
            if self._error is not None:
                raise self._error
            if self._digest.digest() != self._change.digest:
                raise _changed()
            self._set_mode()
            _put(self._folder, self._temporary, self._name, self._change)
            if self._change.is_durable:
                # Nobody waits for the disk to read it. Until the answer it is not in the common state, so one that a
                # power cut left empty is no change of the sandbox's.
                os.fsync(self._descriptor)
            return Written(os.fstat(self._descriptor), self._change.digest)
        except OSError:
            if self._descriptor >= 0:
                _drop(self._folder, self._temporary, os.fstat(self._descriptor).st_ino)
            raise
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            if self._folder >= 0:
                os.close(self._folder)

    def _set_mode(self) -> None:
        """At most the permissions that the file had, and for a new one those that every new file has."""
        mode = self._mode_before
        if mode is None:
            mode = os.fstat(self._descriptor).st_mode
        mode = stat.S_IMODE(mode) & 0o777
        wanted = with_executable(mode, self._change.executable)
        if self._mode_before is not None or wanted != mode:
            os.fchmod(self._descriptor, wanted)


# -- one act at a time: the open folder, the name in it, and the change


def _make_folder(folder: int, name: str, _change: Change) -> None:
    os.mkdir(name, dir_fd=folder)


def _make_link(folder: int, name: str, change: Change) -> None:
    _check(folder, name, change)
    temporary = _temporary(change)
    os.symlink(os.fsdecode(change.text), temporary, dir_fd=folder)
    inode = os.lstat(temporary, dir_fd=folder).st_ino
    try:
        _put(folder, temporary, name, change)
    finally:
        _drop(folder, temporary, inode)


def _remove(folder: int, name: str, change: Change) -> None:
    _check(folder, name, change)
    if stat.S_ISDIR(change.before[0]):
        # Only an empty one goes: what nobody compared in it stays.
        os.rmdir(name, dir_fd=folder)
    else:
        _take_away(folder, name, change)


def _rename(folder: int, name: str, change: Change) -> None:
    _check(folder, name, change)
    rename_free(folder, name, os.fsdecode(change.text))


def _set_mode(folder: int, name: str, change: Change) -> None:
    descriptor = os.open(name, OPEN_FILE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not change.before or not _has_status(change.before, status, is_renamed=False):
            raise _changed()
        mode = stat.S_IMODE(status.st_mode)
        os.fchmod(descriptor, with_executable(mode, change.executable))
    finally:
        os.close(descriptor)


def _recover(folder: int, name: str, _change: Change) -> None:
    """Give what a killed run left a name that is seen, if it may be a file of the sandbox's; else remove it."""
    if name.startswith(_OLD):
        rename_free(folder, name, _aside("recovered"))
    elif name.startswith(TEMPORARY):
        os.unlink(name, dir_fd=folder)


_ACTS = {
    MAKE_FOLDER: _make_folder,
    MAKE_LINK: _make_link,
    REMOVE: _remove,
    RENAME: _rename,
    SET_MODE: _set_mode,
    RECOVER: _recover,
}


# -- how an entry takes a place and leaves one


def _put(folder: int, temporary: str, name: str, change: Change) -> None:
    """Have the new entry `temporary` at `name`, in the place of what was compared.

    :raises OSError: something else is there
    """
    if not change.before:
        rename_free(folder, temporary, name)
        return
    new = os.lstat(temporary, dir_fd=folder).st_ino
    if not swap(folder, temporary, name):
        _take_away(folder, name, change)
        rename_free(folder, temporary, name)
        return
    if _is_same(folder, temporary, change):
        os.unlink(temporary, dir_fd=folder)
        return
    swap(folder, temporary, name)
    if os.lstat(temporary, dir_fd=folder).st_ino != new:
        # Two saves inside in this moment: the later one stays, and the other is kept.
        swap(folder, temporary, name)
        rename_free(folder, temporary, _aside(name))
    raise _changed()


def _take_away(folder: int, name: str, change: Change) -> None:
    """Remove the file or link at `name`, which is what was compared.

    :raises OSError: something else is there
    """
    temporary = _OLD + secrets.token_hex(8)
    rename_free(folder, name, temporary)
    if _is_same(folder, temporary, change):
        os.unlink(temporary, dir_fd=folder)
        return
    try:
        rename_free(folder, temporary, name)
    except FileExistsError:
        rename_free(folder, temporary, _aside(name))
    raise _changed()


def _drop(folder: int, temporary: str, inode: int) -> None:
    """Remove our new entry `temporary`, unless something else has that name, or nothing has."""
    with contextlib.suppress(OSError):
        if os.lstat(temporary, dir_fd=folder).st_ino == inode:
            os.unlink(temporary, dir_fd=folder)


def _flush(root: int) -> None:
    """Have everything that was written on the disk.

    :raises OSError: it cannot be written there
    """
    if ctypes.CDLL(None, use_errno=True).syncfs(root):
        raise OSError(ctypes.get_errno(), "syncfs")


# -- what is there


def _check(folder: int, name: str, change: Change) -> None:
    """See that `name` is what was compared.

    :raises OSError: it is not
    """
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        if not change.before:
            return
        raise _changed() from None
    if not change.before or not _is_same(folder, name, change, is_renamed=False):
        raise _changed()


def _is_same(folder: int, name: str, change: Change, *, is_renamed: bool = True) -> bool:
    """Whether `name` is the entry that was compared, and as it was; a rename changes its ctime."""
    if not _has_status(change.before, os.lstat(name, dir_fd=folder), is_renamed=is_renamed):
        return False
    mode = change.before[0]
    if stat.S_ISDIR(mode):
        return True
    if stat.S_ISLNK(mode):
        target = os.fsencode(os.readlink(name, dir_fd=folder))
        return hashlib.sha256(target).digest() == change.before_digest
    return _digest(folder, name) == change.before_digest


def _has_status(before: tuple[int, ...], status: os.stat_result, *, is_renamed: bool) -> bool:
    """Whether an entry with `status` can be the one that was compared, and as it was."""
    mode, size, ctime, mtime, inode, _ = before
    if stat.S_IFMT(status.st_mode) != stat.S_IFMT(mode) or status.st_ino != inode:
        return False
    if stat.S_ISDIR(mode):
        return True
    is_old = (status.st_size, status.st_mtime_ns) == (size, mtime)
    return is_old and (is_renamed or status.st_ctime_ns == ctime)


def _digest(folder: int, name: str) -> bytes:
    """The SHA-256 of the regular file `name`, as far as it went when it was opened.

    :raises OSError: there is none
    """
    descriptor = os.open(name, OPEN_FILE, dir_fd=folder)
    try:
        return digest_of(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def digest_of(descriptor: int, size: int) -> bytes:
    """The SHA-256 of the first `size` bytes of an open file, or of all where it has fewer."""
    digest, left = hashlib.sha256(), size
    while left > 0:
        piece = os.read(descriptor, min(_PIECE, left))
        if not piece:
            break
        digest.update(piece)
        left -= len(piece)
    return digest.digest()


def _temporary(change: Change) -> str:
    """A free temporary name for a new entry; if it takes the place of another, that has the name for a moment."""
    return (_OLD if change.before else TEMPORARY) + secrets.token_hex(8)


def _aside(name: str) -> str:
    """A free name for a version of `name` that is kept next to it, as `flows.aside` builds them."""
    name = os.fsdecode(os.fsencode(name)[:200])
    return f"{name}.inside-{secrets.token_hex(4)}"


def with_executable(mode: int, executable: bool) -> int:
    """The permissions `mode` with those to execute where reading is allowed, or without them."""
    return mode | 0o100 | (mode & 0o444) >> 2 if executable else mode & ~0o111


def _changed() -> OSError:
    return BlockingIOError(errno.EAGAIN, "it changed")
