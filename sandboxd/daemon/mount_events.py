"""Wakes a thread when something may have replaced a watched path: without delay where possible, and not without
cause.

On Linux a thread sleeps in the kernel until an event comes (`inotify_simple`; `watchfiles` polls its events at each
step, which costs a wake-up and a delay). Elsewhere `watchfiles` is used, with its step as delay. Only the folders
above the paths are watched, for names that appear and go: writing into files wakes nobody, but for those whose content
counts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Protocol

from sandboxd.daemon.listening import Change, Changes, Listening, is_nameable
from sandboxd.halt.arrivals import Origins

if TYPE_CHECKING:
    from inotify_simple import Event

STEP_MS = 20
"""Milliseconds between two looks of `watchfiles`, where it is used: a change is seen after one or two of them."""

_POLL_SECONDS = 1.0
"""Between two complete looks where the system gives no events at all."""

_REST_SECONDS = 0.002
"""After names that do not matter: who makes and removes files all the time costs no more than this allows."""

_OUT_OF_WATCHES = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class MountEvents(Protocol):
    """Wakes one thread; `end` may be called from any thread."""

    delay: str
    """How late a change may be seen, in words; '' for without delay."""

    origins: Origins
    """How entries of the shut folders came there since this was opened; where it is not seen, nothing."""

    def wait(self, seconds: float | None = None) -> bool:
        """Block until a watched path may have changed; False once `end` was called.

        :param seconds: the longest that it blocks
        :raises OSError: the system gives no more events
        """
        ...

    def catch_up(self) -> None:
        """Have `origins` say what was moved since `wait` returned, and no more what was moved before."""
        ...

    def end(self) -> None: ...

    def close(self) -> None: ...


def open_events(
    paths: Collection[str],
    files: Collection[str] = (),
    folders: Collection[str] = (),
    coming: Collection[str] = (),
    shut: Collection[str] = (),
) -> MountEvents:
    """The fastest kind of events that this system has; what happens after this call is not missed.

    Where a folder cannot be read (a program inside may have changed its mode), the paths are polled instead.

    :param paths: absolute paths whose replacement matters
    :param files: absolute paths of files whose content matters, too, and second names of them; they need not exist
    :param folders: absolute paths of folders in which each new name matters; one that does not exist matters when it
        comes, and then has to be named again
    :param coming: absolute paths of which it matters that they come; where the folder of one comes, too, both are to be
        given
    :param shut: absolute paths of folders into which nothing may be moved from elsewhere
    :raises OSError: the system gives no events
    """
    if sys.platform == "linux":
        try:
            return _Inotify(paths, files, folders, coming, shut)
        except ImportError:
            pass
        except OSError as error:
            if error.errno in _OUT_OF_WATCHES:
                why = "the system has no watches left (`fs.inotify` in sysctl)"
                return _Looks(why, {*paths, *files, *coming}, {*folders, *shut})
            if isinstance(error, PermissionError):
                why = f"`{error.filename}` may not be read"
                return _Looks(why, {*paths, *files, *coming}, {*folders, *shut})
            raise
    return _Steps({*paths, *coming}, files, {*folders, *shut})


def folders_of(paths: Collection[str]) -> tuple[dict[str, set[str]], set[str]]:
    """The folders that contain `paths`, each with the names that matter in it, and all folders above those.

    Of the latter only a move or removal matters.
    """
    names: dict[str, set[str]] = {}
    for path in paths:
        folder, name = os.path.split(path)
        names.setdefault(folder, set()).add(name)
    above = {folder for path in names for folder in _above(path)}
    return names, above - names.keys()


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = os.path.dirname(path)
        yield path


class _Inotify:
    """:raises OSError: the system gives no watch"""

    delay = ""

    def __init__(
        self,
        paths: Collection[str],
        files: Collection[str] = (),
        folders: Collection[str] = (),
        coming: Collection[str] = (),
        shut: Collection[str] = (),
    ) -> None:
        from inotify_simple import INotify, flags

        stays = flags.MOVE_SELF | flags.DELETE_SELF
        entries = stays | flags.MOVED_FROM | flags.MOVED_TO | flags.DELETE
        self._matters = stays | flags.ATTRIB | flags.Q_OVERFLOW | flags.IGNORED | flags.UNMOUNT
        self._flags, self._add = flags, flags.MASK_ADD
        self._fresh: set[str] = set()
        self._moved: set[str] = set()
        self.origins = Origins(self._fresh, self._moved)
        self._shut: dict[int, str] = {}
        """The shut folders by the numbers of their watches."""
        self._on_their_way: dict[int, bool] = {}
        """Whether what left a shut folder was made there, by the number that joins the two events of a move."""
        self._names: dict[int, set[str] | None] = {}
        """The names that matter by the number of the watch; None for all."""
        self._is_ended = False
        self._wake_up, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._inotify = INotify(nonblocking=True)
        except BaseException:
            self._close_pipe()
            raise
        self._poll = select.poll()
        self._poll.register(self._inotify.fileno(), select.POLLIN)
        self._poll.register(self._wake_up, select.POLLIN)
        try:
            names, above = folders_of({*paths, *files, *folders, *coming})
            written = {os.path.dirname(file) for file in files}
            grown = {*folders, *map(os.path.dirname, (*folders, *coming))}
            for folder in {*names, *folders}:
                # Git puts a new index in the place of the old one; some of its other forms write into it.
                more = flags.CLOSE_WRITE if folder in written else 0
                more |= flags.CREATE if folder in grown else 0
                of_it = None if folder in folders else names[folder]
                self._watch(folder, entries | more | flags.ONLYDIR, of_it)
            for folder in above.difference(folders):
                self._watch(folder, stays | flags.ONLYDIR, set())
            for folder in shut:
                mask = entries | flags.CREATE | flags.ONLYDIR | flags.DONT_FOLLOW
                self._shut[self._watch(folder, mask, set())] = folder
            for path in {*paths, *files}:
                # A new hard link changes the attributes of the file, and nothing in its folder.
                if stat.S_ISREG(_mode(path)):
                    self._watch(path, flags.ATTRIB | flags.DONT_FOLLOW, set())
        except BaseException:
            self.close()
            raise

    def _watch(self, folder: str, mask: int, names: set[str] | None) -> int:
        """The number of the watch; 0 for no watch."""
        # One that is gone has nothing to tell: the first look finds that out.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            try:
                # By a link one folder can be at two paths, and counts for the names of both.
                number: int = self._inotify.add_watch(folder, mask | self._add)
            except PermissionError as error:
                raise PermissionError(error.errno, error.strerror, folder) from None
            known = self._names.get(number, set())
            self._names[number] = None if names is None or known is None else known | names
            return number
        return 0

    def wait(self, seconds: float | None = None) -> bool:
        while not self._is_ended:
            if not self._poll.poll(seconds and seconds * 1000):
                return True
            is_awake = False
            for event in self._inotify.read(timeout=0):
                names = self._names.get(event.wd, ())
                is_awake |= bool(event.mask & self._matters) or names is None or event.name in names
                if event.wd in self._shut and self._note(event):
                    is_awake = True
            if is_awake:
                return not self._is_ended
            if not self._is_ended:
                time.sleep(_REST_SECONDS)
        return False

    def catch_up(self) -> None:
        self._moved.clear()
        for event in self._inotify.read(timeout=0):
            if event.wd in self._shut:
                self._note(event)

    def _note(self, event: Event) -> bool:
        """Note how an entry of a shut folder came or went; returns whether it has to be looked at."""
        fresh, moved = self._fresh, self._moved
        path = os.path.join(self._shut[event.wd], event.name)
        is_folder = bool(event.mask & self._flags.ISDIR)
        is_link = stat.S_ISLNK(_mode(path))
        if event.mask & self._flags.MOVED_FROM:
            self._on_their_way[event.cookie] = path in fresh
            fresh.discard(path)
            return False
        if event.mask & self._flags.MOVED_TO and event.cookie in self._on_their_way:
            if self._on_their_way.pop(event.cookie):
                fresh.add(path)
            return is_folder or is_link
        is_from_elsewhere = bool(event.mask & self._flags.MOVED_TO)
        if event.mask & self._flags.CREATE:
            # By `ln` a file gets another name here, and its old one stays.
            is_from_elsewhere = not is_folder and _names_of(path) > 1
        elif not is_from_elsewhere:
            return False
        (moved if is_from_elsewhere else fresh).add(path)
        return is_from_elsewhere or is_folder or is_link

    def end(self) -> None:
        self._is_ended = True
        with contextlib.suppress(OSError):
            os.write(self._waker, b"x")

    def close(self) -> None:
        self._inotify.close()
        self._close_pipe()

    def _close_pipe(self) -> None:
        os.close(self._wake_up)
        os.close(self._waker)


def _names_of(path: str) -> int:
    """How many hard links lead to a file; 0 for nothing."""
    try:
        return os.lstat(path).st_nlink
    except OSError:
        return 0


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


class _Steps:
    """By `watchfiles`, which asks for events at each step."""

    delay = f"up to {2 * STEP_MS} ms late"

    def __init__(
        self, paths: Collection[str], files: Collection[str] = (), folders: Collection[str] = ()
    ) -> None:
        names, above = folders_of({*paths, *files, *folders})
        self._paths = frozenset({*paths, *names, *above})
        self._files = frozenset({*files, *folders})
        self._folders = frozenset(folders)
        self._event = threading.Event()
        self.origins = Origins()
        self._is_ended = False
        self._error: Exception | None = None
        self._listening = Listening(
            filter(_can_be_watched, {*names, *above, *folders}), self._tell, self._fail, STEP_MS
        )
        self._listening.start()
        self._listening.wait_until_it_listens()

    def _tell(self, changes: Changes) -> None:
        if any(
            path in self._files
            or os.path.dirname(path) in self._folders
            or (path in self._paths and change is not Change.modified)
            for change, path in changes
        ):
            self._event.set()

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._event.set()

    def wait(self, seconds: float | None = None) -> bool:
        self._event.wait(seconds)
        self._event.clear()
        if self._error is not None and not self._is_ended:
            raise OSError(str(self._error))
        return not self._is_ended

    def catch_up(self) -> None:
        pass

    def end(self) -> None:
        self._is_ended = True
        self._event.set()

    def close(self) -> None:
        self._listening.stop()


def _can_be_watched(folder: str) -> bool:
    # What git lists there may be gone, or not have come yet.
    return is_nameable(folder) and os.path.isdir(folder)


class _Looks:
    """By looking again and again: a program inside can use up the user's watches, so this must be nearly as fast.

    :param why: no better way is open, in words
    :param paths: absolute paths of which it matters what is there, and of files their content, too
    :param folders: absolute paths of folders in which each new name matters
    """

    def __init__(self, why: str, paths: Collection[str], folders: Collection[str]) -> None:
        self.delay = f"up to {STEP_MS} ms late, since {why}"
        self._paths, self._folders = tuple(paths), tuple(folders)
        self._before = self._look()
        self.origins = Origins()
        self._event = threading.Event()

    def wait(self, seconds: float | None = None) -> bool:
        end = time.monotonic() + (seconds or _POLL_SECONDS)
        while time.monotonic() < end:
            if self._event.wait(STEP_MS / 1000):
                return False
            now = self._look()
            if now != self._before:
                self._before = now
                return True
        # For what does not show there, such as a mount that is gone from the same file.
        return True

    def _look(self) -> list[tuple[int, ...]]:
        whole = (_stamp(path, names_matter=True) for path in self._folders)
        return [*(_stamp(path) for path in self._paths), *whole]

    def catch_up(self) -> None:
        pass

    def end(self) -> None:
        self._event.set()

    def close(self) -> None:
        pass


def _stamp(path: str, *, names_matter: bool = False) -> tuple[int, ...]:
    """What differs whenever something else is at `path`, and whenever a file was written or got another name.

    :param names_matter: whether it also differs when a folder got or lost an entry
    """
    try:
        status = os.lstat(path)
    except OSError as error:
        return (error.errno or 0,)
    if stat.S_ISDIR(status.st_mode) and not names_matter:
        return status.st_dev, status.st_ino
    return status.st_dev, status.st_ino, status.st_nlink, status.st_mtime_ns, status.st_size
