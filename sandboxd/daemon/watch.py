"""Watches folders for changes: by events where the system has them, else by comparing them every second.

Only folders are watched, never files: editors replace a file by renaming another over it, which ends a watch
on the file itself. Nothing is watched recursively: a filter would run only after the kernel has been asked to
watch all of node_modules.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.daemon.listening import Change, Changes, Listening, is_bad_name, is_nameable
from sandboxd.daemon.networked import networked_now
from sandboxd.deadline import looks_within

SWEEP_SECONDS = 30.0
"""Seconds between two comparisons of files for which no event came: a kernel whose queue is full drops events, and
the library does not say so (samuelcolvin/watchfiles #348)."""

POLL_SECONDS = 1.0
"""The same when the system gives no events at all."""

MANY_CHANGES = 200
"""The number of changes within a second after which events may have been lost: the library reports several events of
a file as one change, and the kernel's queue holds 16,384 events."""

_READY_SECONDS = 20.0
"""To be listening: a slow machine with 15,000 folders needs a few."""

_LAST_SECONDS = 2.0
"""Seconds that the watcher that is replaced has to tell what it knows; what it does not tell is looked for."""

_PROOF_SECONDS = 0.02
_RETRY_SECONDS = 60.0
_MUTED_SECONDS = 600.0
_MOST_TRIES = 5
_REST = 10.0
"""Replacing the watcher takes at most a tenth of the time."""

OnChange = Callable[[set[str], float], None]
"""Called on the event loop with the paths that changed and the monotonic time of the event."""

log = logging.getLogger(__name__)


class _Folders(NamedTuple):
    """The watched folders that exist: those to listen to, by device and inode, and those without events."""

    armed: dict[str, int]
    deaf: frozenset[str]


class Watcher:
    """Reports changes directly in a set of folders, which may be replaced at any time.

    :param on_change: called on the event loop with each batch of changes
    :param own: the path of a folder for the watcher alone, made when needed: changes in it prove that events arrive
    :param rearm: called when a folder was removed, so that `watch` has to be called again
    :param doubt: called when changes may have been missed, so that all files have to be compared
    """

    def __init__(
        self,
        on_change: OnChange,
        own: str,
        rearm: Callable[[], None] = lambda: None,
        doubt: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_change = on_change
        self._own = own
        self._rearm = rearm
        self._doubt = doubt
        self._wanted: frozenset[str] = frozenset()
        self._muted: dict[str, float] = {}
        self._current: _Run | None = None
        self._changing = asyncio.Lock()
        self._retry_at = 0.0
        self._rested_at = 0.0
        self._proofs = 0
        self._second = 0.0
        self._changes = 0
        self.problem = ""
        """Why the system reports no events, for a person; '' while it does."""
        self.deaf: frozenset[str] = frozenset()
        """Folders for which no events come though others have them; their files have to be compared."""

    @property
    def interval(self) -> float:
        """Seconds between two comparisons of all files."""
        return POLL_SECONDS if self.problem else SWEEP_SECONDS

    @property
    def armed(self) -> frozenset[str]:
        """The folders whose changes are reported now."""
        return frozenset(self._current.armed) if self._current is not None else frozenset()

    @property
    def rest(self) -> float:
        """Seconds to wait before replacing the watcher: that costs 0.2 s for 10,000 folders."""
        return max(0.0, self._rested_at - time.monotonic())

    async def watch(self, folders: frozenset[str]) -> frozenset[str]:
        """Watch exactly `folders`; those that do not exist are left out.

        :returns: the newly watched folders, in which changes before this call may have been missed
        """
        async with self._changing:
            is_same, self._wanted = folders == self._wanted, folders
            if self.problem and is_same and time.monotonic() < self._retry_at:
                return frozenset()
            self._muted = {f: end for f, end in self._muted.items() if end > time.monotonic()}
            before = self._current.armed.items() if self._current is not None else {}.items()
            try:
                now = await self._follow(folders)
            except OSError as error:
                self._fail(_reason(error), _RETRY_SECONDS)
                await self._end()
                return frozenset()
            self.problem = ""
            return frozenset(folder for folder, _ in now.items() - before)

    async def close(self) -> None:
        """Report nothing more."""
        async with self._changing:
            await self._end()
            await asyncio.to_thread(_remove, self._own)

    async def _follow(self, folders: frozenset[str]) -> dict[str, int]:
        """Start a run for those of `folders` that exist; returns them with their identity.

        :raises OSError: the system gives no events
        """
        for _ in range(_MOST_TRIES):
            armed, self.deaf = await asyncio.to_thread(_look, folders, frozenset(self._muted))
            if self._current is None or self._current.armed != armed:
                try:
                    await self._replace(armed)
                except (FileNotFoundError, PermissionError):
                    continue  # a folder went away, or was closed, since it was looked at
            return armed
        raise OSError("folders come and go all the time")

    async def _replace(self, armed: dict[str, int]) -> None:
        """Start a run; end the earlier one once the new one listens and the old one reported all it knew.

        The kernel keeps the events of one run in order: when the old one reports the same proof as the new
        one, it has reported all that happened before.
        """
        began = time.monotonic()
        await _to_its_end(_make, self._own)
        new, old = _Run(self, armed.copy(), self._own), self._current
        try:
            proof = await self._proven(new)
            if old is not None and not await self._has_told_all(old, proof):
                self._doubt()
        except BaseException:
            await asyncio.shield(asyncio.to_thread(new.stop))
            raise
        self._current = new
        self._rested_at = time.monotonic() + (time.monotonic() - began) * _REST
        if old is not None:
            await asyncio.to_thread(old.stop)
        if new.error is not None:
            raise new.error

    async def _has_told_all(self, run: _Run, proof: str) -> bool:
        """Whether `run` told what it knew up to `proof`, in the time that it has for that."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_SECONDS):
                run.look_now()
                await run.until(lambda: proof in run.proofs)
            return True
        return False

    async def _proven(self, run: _Run) -> str:
        """Make changes in our own folder until `run` reports one; returns its path.

        :raises OSError: the run failed, or reported nothing in time
        """
        mine: set[str] = set()
        for _ in looks_within(_READY_SECONDS):
            self._proofs += 1
            path = os.path.join(self._own, f"{os.getpid()}-{self._proofs}")
            mine.add(path)
            await _to_its_end(_touch_and_go, path)
            run.look_now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PROOF_SECONDS):
                    await run.until(lambda: not mine.isdisjoint(run.proofs))
                return next(iter(mine & run.proofs))
        raise OSError("a change of our own was not told")

    async def _end(self) -> None:
        run, self._current = self._current, None
        if run is not None:
            await asyncio.to_thread(run.stop)

    def _fail(self, reason: str, pause: float) -> None:
        self._retry_at = time.monotonic() + pause
        self.problem = f"no file events ({reason.lower()}), so files are looked at again and again"
        log.warning("%s", self.problem)

    def take_changes(self, run: _Run, changes: Changes, at: float) -> None:
        """Handle changes that a run reports; called on the loop."""
        paths = set()
        for change, path in changes:
            if path == self._own or os.path.dirname(path) == self._own:
                run.proofs.add(path)
                continue
            paths.add(path)
            # A folder that takes its place would not be listened to.
            if change is Change.deleted and run.armed.pop(path, None) is not None:
                self._rearm()
        self._count(len(paths), at)
        if paths:
            self._on_change(paths, at)

    def _count(self, changes: int, at: float) -> None:
        if at - self._second > 1.0:
            self._second, self._changes = at, 0
        self._changes += changes
        if self._changes >= MANY_CHANGES:
            self._doubt()

    def died(self, run: _Run, error: OSError) -> None:
        """Handle a run that ended by itself; called on the loop.

        A file name that is not UTF-8 ends it, and any program can make one: the folder in which it was made
        is not listened to for a while, so that the other folders are not affected.
        """
        if run is not self._current:
            return
        self._current = None
        text = str(error) if is_bad_name(error) else ""
        muted = [folder for folder in run.armed if f'"{folder}/' in text]
        if muted:
            folder = max(muted, key=len)
            self._muted[folder] = time.monotonic() + _MUTED_SECONDS
            self._fail(f"a file name in `{folder}` is not UTF-8", POLL_SECONDS / 2)
        else:
            self._fail(_reason(error), _RETRY_SECONDS)
        self._doubt()


class _Run:
    """A `Listening`, as used from the event loop."""

    def __init__(self, watcher: Watcher, armed: dict[str, int], own: str) -> None:
        self._watcher = watcher
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.armed = armed
        """A number for device and inode of each folder that it listens to."""
        self.proofs: set[str] = set()
        """Changes of our own that were told."""
        self.error: OSError | None = None
        """The reason why it tells nothing more."""
        self._listening = Listening([*armed, own], self._tell, self._failed)
        self._listening.start()

    def stop(self) -> None:
        """End it; blocks for a moment."""
        self._listening.stop()

    def look_now(self) -> None:
        """Have it report pending changes at once."""
        self._listening.look_now()

    async def until(self, check: Callable[[], bool]) -> None:
        """Wait until `check` is true.

        :raises OSError: the run reports nothing more
        """
        while not check():
            if self.error is not None:
                raise self.error
            self._news.clear()
            await self._news.wait()

    def _tell(self, changes: Changes) -> None:
        self._later(self._watcher.take_changes, changes, time.monotonic())

    def _failed(self, error: Exception) -> None:
        self.error = error if isinstance(error, OSError) else OSError(str(error))
        self._later(self._watcher.died, self.error)

    def _later(self, function: Callable[..., None], *args: object) -> None:
        def call() -> None:
            function(self, *args)
            self._news.set()

        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(call)


def _reason(error: OSError) -> str:
    """The message of the library or of the system, in the words of this system."""
    text = error.strerror or str(error)
    if sys.platform == "linux" and "too many open files" in text.lower():
        return "the limit of inotify instances is reached"
    if sys.platform == "linux" and (
        "watch limit" in text.lower() or "no space left" in text.lower()
    ):
        return "the limit of inotify watches is reached"
    return text


async def _to_its_end(call: Callable[[str], None], path: str) -> None:
    """Call it in a thread; who is cancelled meanwhile waits for its end.

    What a thread makes after the watcher has closed, nobody removes.
    """
    call_ends = asyncio.ensure_future(asyncio.to_thread(call, path))
    try:
        await asyncio.shield(call_ends)
    except asyncio.CancelledError:
        await asyncio.wait([call_ends])
        call_ends.exception()  # nobody is left who asks
        raise


def _make(folder: str) -> None:
    os.makedirs(folder, 0o700, exist_ok=True)


def _touch_and_go(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    os.unlink(path)


def _remove(own: str) -> None:
    """Remove the folder of proofs; a thread whose call was cancelled may still be making one."""
    for _ in range(_MOST_TRIES):
        try:
            for name in os.listdir(own):
                os.unlink(os.path.join(own, name))
            os.rmdir(own)
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_PROOF_SECONDS)
        else:
            return


def _look(folders: frozenset[str], muted: frozenset[str]) -> _Folders:
    """Sort out `folders`, in a thread: those that exist, and of those the ones without events.

    On a network file system the kernel reports only what this machine does; a folder that cannot be read, or
    whose path is not UTF-8, cannot be given to the library.
    """
    armed: dict[str, int] = {}
    deaf = networked_now(folders) | (muted & folders)
    for folder in folders - deaf:
        try:
            status = os.stat(folder)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            if os.access(folder, os.R_OK) and is_nameable(folder):
                armed[folder] = hash((status.st_dev, status.st_ino))
            else:
                deaf.add(folder)
    return _Folders(armed, frozenset(deaf))
