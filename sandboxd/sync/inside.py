"""The reporter in the sandbox, on standard input and output: what a folder has, which of it changes, and changes of it.

It decides nothing: the host asks folder by folder and file by file, by a policy that is not known here. Sent in behind
the texts of `inside.others`, `wire`, `renaming` and `writer`: standard library only, for Python 3.8. It follows no link, below the
folder that it reports.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import stat
import struct
import sys
import time

from sandboxd.inside.others import stop_others
from sandboxd.sync.wire import (
    CHANGED,
    DATA,
    DO,
    END,
    END_HEAD,
    FILE,
    FORGET,
    HASH,
    HELLO,
    HELLO_HEAD,
    HOLD,
    LARGEST_PART,
    LONGEST_NAME,
    LONGEST_PATH,
    LOOK,
    LOST,
    NUMBER,
    PART,
    QUESTIONS,
    READ,
    SIZED,
    STATUS,
    UNWATCHED,
    VERSION,
    Broken,
    Decoder,
    change_of,
    pack,
    pack_entries,
    pack_entry,
)
from sandboxd.sync.writer import OPEN_FILE, Writer, digest_of, open_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EVENT = struct.Struct("iIII")
_OVERFLOW, _IGNORED = 0x4000, 0x8000
# Modified, attributes, closed after writing, moved from and to, created, deleted, itself deleted and moved.
_MASK = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
_ONLY_FOLDER = 0x01000000
_PIECE_OUT = 1 << 16
_LONGEST_SECONDS = 0.02
"""Bytes and time for which an answer waits for others, so that they go together."""


class Watches:
    """Tells by inotify which folders changed; each once, until it is watched anew.

    :raises OSError: this system gives no events
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.reader = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.reader < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._paths: dict[int, str] = {}
        self._silent: set[str] = set()

    def watch(self, descriptor: int, path: str) -> bool:
        """Tell of changes in the open folder at `path` from now on; False where the system refuses."""
        self._silent.discard(path)
        # By the descriptor: a path could lead elsewhere by now.
        place = b"/proc/self/fd/%d" % descriptor
        number = self._libc.inotify_add_watch(self.reader, place, _MASK | _ONLY_FOLDER)
        if number < 0:
            return False
        self._paths[number] = path
        return True

    def forget(self, path: str) -> None:
        """Tell no more of `path` and what is below it."""
        for number, watched in list(self._paths.items()):
            if watched == path or watched.startswith(f"{path}/"):
                del self._paths[number]
                self._silent.discard(watched)
                self._libc.inotify_rm_watch(self.reader, number)

    def read(self) -> tuple[list[str], bool]:
        """The folders that changed, and whether events were lost, so that any may have."""
        changed: list[str] = []
        is_lost = False
        while True:
            try:
                data = os.read(self.reader, 1 << 16)
            except BlockingIOError:
                return changed, is_lost
            at = 0
            while at < len(data):
                number, mask, _, size = _EVENT.unpack_from(data, at)
                at += _EVENT.size + size
                is_lost = is_lost or bool(mask & _OVERFLOW)
                path = self._paths.get(number)
                if mask & _IGNORED:
                    self._paths.pop(number, None)
                if path is not None and path not in self._silent:
                    self._silent.add(path)
                    changed.append(path)


class Reporter:
    """Answers questions about the open folder `root`, and changes it as it is asked.

    :param watches: None where the system gives no events
    :param write: called with each frame
    :param hold: stops all other processes of the sandbox; None where there is no sandbox around this one
    """

    def __init__(
        self,
        root: int,
        watches: Watches | None,
        write: Callable[[bytes], None],
        hold: Callable[[], None] | None = None,
    ) -> None:
        self._root, self._watches, self._write, self._hold = root, watches, write, hold
        self._decoder = Decoder(QUESTIONS)
        self._writer = Writer(root)
        status = os.fstat(root)
        write(pack(HELLO, HELLO_HEAD.pack(VERSION, status.st_dev, status.st_ino, boot_id())))

    def take(self, data: bytes) -> None:
        """Answer the questions that `data` completes.

        :raises Broken: it breaks the protocol
        """
        for kind, content in self._decoder.take(data):
            began = time.time_ns()
            (number,) = NUMBER.unpack_from(content)
            try:
                is_answered = self._answer(kind, number, content)
            except (OSError, ValueError) as error:
                code = getattr(error, "errno", None) or errno.EINVAL
                self._end(number, code, began)
                continue
            if not is_answered:
                self._end(number, 0, began)

    def tell(self) -> None:
        """Write which folders changed."""
        if self._watches is not None:
            changed, is_lost = self._watches.read()
            for path in changed:
                self._write(pack(CHANGED, os.fsencode(path)))
            if is_lost:
                self._write(pack(LOST))

    def _answer(self, kind: int, number: int, content: bytes) -> bool:
        """Answer a question, but for its end; whether it needs no end.

        :raises OSError: there is no such thing, or it changes meanwhile
        """
        if kind == DO:
            change = change_of(content)
            if change.act == HOLD:
                if self._hold is None:
                    raise OSError(errno.EPERM, "not in a sandbox")
                self._hold()
                return False
            return not self._writer.change(change)
        if kind == PART:
            written = self._writer.add(content[NUMBER.size :])
            if written is not None:
                status = STATUS.pack(*_status(written.status))
                self._write(pack(FILE, NUMBER.pack(number), status, written.digest))
            return True
        if kind == LOOK:
            self._look(number, os.fsdecode(content[NUMBER.size :]))
        elif kind in (HASH, READ):
            path, size = os.fsdecode(content[SIZED.size :]), SIZED.unpack_from(content)[1]
            act = self._hash if kind == HASH else self._read
            act(number, path, size)
        elif kind == FORGET and self._watches is not None:
            self._watches.forget(os.fsdecode(content[NUMBER.size :]))
        return kind == HASH

    def _end(self, number: int, code: int, began: int) -> None:
        self._write(pack(END, END_HEAD.pack(number, code & 0xFFFF, began)))

    def _look(self, number: int, path: str) -> None:
        descriptor = open_below(self._root, path)
        try:
            # Before it is listed: whatever changes from then on is told.
            if self._watches is None or not self._watches.watch(descriptor, path):
                self._write(pack(UNWATCHED, os.fsencode(path)))
            for frame in pack_entries(number, self._entries(descriptor)):
                self._write(frame)
        finally:
            os.close(descriptor)

    def _entries(self, folder: int) -> Iterator[bytes]:
        """Each entry of the open folder, as it is now."""
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                name, target = os.fsencode(entry.name), b""
                if stat.S_ISLNK(status.st_mode):
                    with contextlib.suppress(OSError):
                        target = os.fsencode(os.readlink(entry.name, dir_fd=folder))
                if len(name) <= LONGEST_NAME and len(target) <= LONGEST_PATH:
                    yield pack_entry(_status(status), name, target)

    def _hash(self, number: int, path: str, size: int) -> None:
        """:raises OSError: it is not there with this size, or it changes meanwhile"""
        descriptor = self._open_file(path)
        try:
            before = os.fstat(descriptor)
            if before.st_size != size:
                raise BlockingIOError(errno.EAGAIN, "it changed")
            digest = digest_of(descriptor, size)
            status = _status(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if status != _status(before):
            raise BlockingIOError(errno.EAGAIN, "it changed")
        self._write(pack(FILE, NUMBER.pack(number), STATUS.pack(*status), digest))

    def _read(self, number: int, path: str, size: int) -> None:
        descriptor = self._open_file(path)
        try:
            while size > 0:
                chunk = os.read(descriptor, min(LARGEST_PART, size))
                if not chunk:
                    break
                size -= len(chunk)
                self._write(pack(DATA, NUMBER.pack(number), chunk))
        finally:
            os.close(descriptor)

    def _open_file(self, path: str) -> int:
        """:raises OSError: there is no regular file"""
        folder = open_below(self._root, path.rpartition("/")[0])
        try:
            descriptor = os.open(path.rpartition("/")[2], OPEN_FILE, dir_fd=folder)
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "no regular file")
        return descriptor


def boot_id() -> bytes:
    """16 bytes that no other start of this machine has; b"" where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return bytes.fromhex(file.read(100).decode("ascii").replace("-", ""))[:16]
    except (OSError, ValueError):
        return b""


def _status(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_mode,
        status.st_size,
        status.st_ctime_ns,
        status.st_mtime_ns,
        status.st_ino,
        status.st_dev,
    )


class _Output:
    """Standard output in large pieces: each write costs a call here, and a frame of the engine's on its way."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._since = 0.0

    def add(self, frame: bytes) -> None:
        """Write `frame` soon: by `flush` at the latest, which whoever waits for something calls first."""
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting += frame
        if len(self._waiting) >= _PIECE_OUT or now - self._since > _LONGEST_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        data, self._waiting = self._waiting, bytearray()
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]


def report(path: str) -> int:
    """Report the folder at `path` until standard input ends; returns the exit code."""
    try:
        root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        watches = None
        with contextlib.suppress(OSError, AttributeError):
            watches = Watches()
        output = _Output()
        reporter = Reporter(root, watches, output.add, stop_others)
        waiting = select.poll()
        waiting.register(0, select.POLLIN)
        if watches is not None:
            waiting.register(watches.reader, select.POLLIN)
        while True:
            output.flush()
            waiting.poll()
            has_input = bool(select.select([0], [], [], 0)[0])
            data = os.read(0, 1 << 16) if has_input else b""
            if has_input and not data:
                return 0
            # What changed before a question came is told before its answer, and so is no news after it.
            reporter.tell()
            reporter.take(data)
    except (OSError, Broken) as error:
        sys.stderr.write(f"{error}\n")
        return 1
