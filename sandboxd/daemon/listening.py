"""One run of `watchfiles` over a fixed set of folders, read by a thread of its own.

The set cannot be changed while it runs (samuelcolvin/watchfiles #298): `watch.Watcher` starts another
run and ends this one. `watch` and not `awatch`, because to begin takes 0.2 s for 10,000 folders, which
`awatch` would spend on the event loop.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable

from watchfiles import Change as Change
from watchfiles import watch

STEP_MS = 50
"""Milliseconds between two looks at the events that came in, and so the longest delay of a change. Each look wakes
the daemon, which is to happen at most 25 times a second in all."""

_SETTLE_SECONDS = 0.008
"""Seconds between a look that saw changes and their report: an editor that empties a file and then fills it has
filled it by then."""

_BEGIN_SECONDS = 20.0
_END_SECONDS = 2.0
_LAST_SECONDS = 20.0
"""Seconds for the end of a run that would abort the process."""

Changes = set[tuple[Change, str]]

# At INFO it logs each batch of changes.
logging.getLogger("watchfiles").setLevel(logging.WARNING)


class Listening:
    """Reports changes directly in `folders`, until it is stopped or fails.

    :param tell: called in its thread with each batch of changes
    :param failed: called in its thread, once, with the error after which no more changes are reported
    :param step_ms: see `STEP_MS`
    """

    def __init__(
        self,
        folders: Iterable[str],
        tell: Callable[[Changes], None],
        failed: Callable[[Exception], None],
        step_ms: int = STEP_MS,
    ) -> None:
        self._folders = tuple(folders)
        self._tell = tell
        self._failed = failed
        self._looks = _Looks(step_ms / 1000)
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        _running.add(self)
        self._thread.start()

    def wait_until_it_listens(self) -> None:
        """Block until every later change will be reported, or until it failed."""
        self._looks.have_begun.wait(_BEGIN_SECONDS)

    def look_now(self) -> None:
        """Report pending changes at once, without waiting for the end of the step."""
        self._looks.hurry()

    def stop(self, seconds: float = _END_SECONDS) -> None:
        """Stop listening and wait until the thread has ended, for at most `seconds`."""
        self._looks.is_end_wanted = True
        self._looks.hurry()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        # All settings are named: the library would take some from the environment, and would poll on WSL.
        # It is never to poll: it compares times in whole seconds, so a second save in the same second is
        # not told. Folders without events of the kernel are looked at by `scan` instead.
        try:
            for changes in watch(
                *self._folders,
                watch_filter=None,
                # The library tells what two looks in a row saw. It would wait a step before each of
                # them; `_Looks` waits before every other one, and there are half as many wake-ups.
                debounce=0,
                step=0,
                stop_event=self._looks,
                # A timeout drops what came in since its last look.
                rust_timeout=0,
                debug=False,
                raise_interrupt=False,
                force_polling=False,
                recursive=False,
                # Otherwise it would go on without the folders that exceed a limit.
                ignore_permission_denied=False,
            ):
                time.sleep(_SETTLE_SECONDS)
                self._tell(changes)
        # The library's own error is of a module that is not public.
        except Exception as error:
            if not self._looks.is_end_wanted:
                self._failed(error)
        finally:
            self._looks.have_begun.set()


_running: weakref.WeakSet[Listening] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """End the runs that nobody ended.

    An interpreter that ends takes the threads that it left away from within: one that is in the library's Rust then
    aborts the process ("FATAL: exception not rethrown").
    """
    for listening in list(_running):
        listening.stop(_LAST_SECONDS)


class _Looks:
    """Tells the library when to look for events, as its "stop signal".

    The library asks `is_set` before each look, the first time once it listens, and waits as long as the answer takes.
    """

    def __init__(self, step_seconds: float) -> None:
        self.is_end_wanted = False
        self.have_begun = threading.Event()
        self._step_seconds = step_seconds
        self._is_begun, self._is_second = False, True
        # Held but for a moment of `hurry`. A lock and no event: that would take a third more processor time.
        self._waiting = threading.Lock()
        self._waiting.acquire()

    def hurry(self) -> None:
        """End the present wait at once, or the next one."""
        with contextlib.suppress(RuntimeError):  # it is hurried already
            self._waiting.release()

    def is_set(self) -> bool:
        """Whether the library is to end; returns at once before every other look, and after a step before the rest."""
        if not self._is_begun:
            self._is_begun = True
            self.have_begun.set()
        if not self._is_second and not self.is_end_wanted:
            self._waiting.acquire(timeout=self._step_seconds)
        self._is_second = not self._is_second
        return self.is_end_wanted


def is_nameable(path: str) -> bool:
    """Whether the library can be given `path`: it takes UTF-8 only."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_bad_name(error: Exception) -> bool:
    """Whether a run failed because a file got a name that is not UTF-8."""
    return "decode path" in str(error)
