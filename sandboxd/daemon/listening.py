"""One run of `watchfiles` over a fixed set of folders, read by a thread of its own.

The set cannot be changed while it runs (samuelcolvin/watchfiles #298): `watch.Watcher` starts another
run and ends this one. `watch` and not `awatch`, because to begin takes 0.2 s for 10,000 folders, which
`awatch` would spend on the event loop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from watchfiles import Change as Change
from watchfiles import watch

DEBOUNCE_MS = 15
"""The longest that changes are collected before they are told."""

STEP_MS = 11
"""Between two looks at what came in. Each is a wake-up of the daemon, of which there are to be at most 100 a
second in all; a change is told after one to two steps."""

_TIMEOUT_MS = 5000
_BEGIN_SECONDS = 20.0
_END_SECONDS = 2.0

Changes = set[tuple[Change, str]]

# At INFO it logs each batch of changes.
logging.getLogger("watchfiles").setLevel(logging.WARNING)


class Listening:
    """Reports changes directly in `folders`, until it is stopped or fails.

    :param tell: called in the thread with each batch of changes
    :param failed: called in the thread, once, with the reason why no more will come
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
        self._step_ms = step_ms
        self._stop = _Stop()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._thread.start()

    def wait_until_it_listens(self) -> None:
        """Block until every later change will be reported, or until it failed."""
        self._stop.was_asked.wait(_BEGIN_SECONDS)

    def stop(self) -> None:
        """End the run; blocks for at most one step."""
        self._stop.is_wanted = True
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        # All settings are named: the library would take some from the environment, and would poll on WSL.
        # It is never to poll: it compares times in whole seconds, so a second save in the same second is
        # not told. Folders without events of the kernel are looked at by `scan` instead.
        try:
            for changes in watch(
                *self._folders,
                watch_filter=None,
                debounce=max(DEBOUNCE_MS, self._step_ms),
                step=self._step_ms,
                stop_event=self._stop,
                rust_timeout=_TIMEOUT_MS,
                debug=False,
                raise_interrupt=False,
                force_polling=False,
                recursive=False,
                # Otherwise it would go on without the folders that exceed a limit.
                ignore_permission_denied=False,
            ):
                self._tell(changes)
        # The library's own error is of a module that is not public.
        except Exception as error:
            if not self._stop.is_wanted:
                self._failed(error)
        finally:
            self._stop.was_asked.set()


class _Stop:
    """A stop signal for the watcher's library, which asks it after each step: so for the first time once it listens."""

    def __init__(self) -> None:
        self.is_wanted = False
        self.was_asked = threading.Event()
        self._is_first = True

    def is_set(self) -> bool:
        """Whether to end."""
        if self._is_first:
            self._is_first = False
            self.was_asked.set()
        return self.is_wanted


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
