"""The host's side by the events of its folders: a look reads only what changed since the last one. Linux alone.

The program that reports a sandbox's copy reports the host's folder here, in the same process.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from sandboxd.sync.engine import Changed, Deaf, Event
from sandboxd.sync.hearing import Hearing, Sweeps
from sandboxd.sync.inside import Reporter, Watches
from sandboxd.sync.local import LocalSide
from sandboxd.sync.reported import Reported, Signal
from sandboxd.sync.retention import Retention
from sandboxd.sync.scan import Limits
from sandboxd.sync.stamps import Stamps
from sandboxd.sync.state import Root, Snapshot
from sandboxd.sync.steps import Side


class WatchedSide(LocalSide):
    """The host's folder at `path`. One thread uses it, except for `hearing`.

    :param tell: called with events of it, in any thread
    """

    def __init__(
        self,
        path: str,
        retention: Retention,
        tell: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
        stamps: Stamps | None = None,
    ) -> None:
        super().__init__(path, retention, is_host=True, stamps=stamps)
        self._tell, self._sweeps = tell, Sweeps(clock)
        self._watched: _Watched | None = None
        self.hearing = Hearing(self._descriptor, lambda: tell(Changed(Side.HOST)))
        """Tells of changes while it runs."""

    def scan(self, excludes: Callable[[str, bool], bool], limits: Limits | None = None) -> Snapshot:
        self.hearing.begin_look()
        with self._opened() as root:
            status = os.fstat(root)
            identity = Root(status.st_dev, status.st_ino)
            if self._watched is None or self._watched.root != identity:
                self.close()
                reported = Reported(excludes, limits, self._load)
                self._watched = _Watched(os.dup(root), identity, reported)
        watched = self._watched
        was_deaf = watched.is_deaf
        is_changed = watched.look(excludes, is_whole=self._sweeps.is_due())
        if watched.is_deaf and not was_deaf:
            self._tell(Deaf(Side.HOST, True))
        self._last = watched.snapshot()
        self.hearing.end_look()
        if is_changed:
            self._tell(Changed(Side.HOST))
        return self._last

    def save_stamps(self) -> None:
        if self._stamps is not None and self._watched is not None:
            self._watched.reported.save_stamps(self._stamps)

    def close(self) -> None:
        """Close what is open; a later scan begins anew."""
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.close()

    def _descriptor(self) -> int | None:
        watched = self._watched
        return None if watched is None else watched.descriptor


class _Watched:
    """The open folder `root_descriptor`, which `close` closes.

    :ivar is_deaf: whether the system does not tell of all changes in it
    :ivar reported: what is known of it
    """

    def __init__(self, root_descriptor: int, root: Root, reported: Reported) -> None:
        self.root, self.is_deaf, self.reported = root, False, reported
        self._root_descriptor = root_descriptor
        self._watches: Watches | None = None
        with contextlib.suppress(OSError):
            self._watches = Watches()
        self._output = bytearray()
        self._reporter = Reporter(root_descriptor, self._watches, self._output.extend)

    @property
    def descriptor(self) -> int | None:
        """The file descriptor that is readable when something changed; None where the system tells of no change."""
        return None if self._watches is None else self._watches.reader

    def look(self, excludes: Callable[[str, bool], bool], *, is_whole: bool) -> bool:
        """Read what changed since the last look; whether something changed meanwhile.

        :param is_whole: whether to look at everything
        """
        self.reported.exclude(excludes)
        self._exchange()
        if is_whole or self.is_deaf:
            self.reported.look_again()
        self.reported.begin_look()
        while not self.reported.is_at_rest:
            self._exchange()
        return self.reported.end_look()

    def snapshot(self) -> Snapshot:
        """Its state by the last look.

        :raises FileNotFoundError: the folder itself cannot be read
        """
        return self.reported.snapshot()

    def close(self) -> None:
        os.close(self._root_descriptor)
        if self._watches is not None:
            os.close(self._watches.reader)

    def _exchange(self) -> None:
        self._reporter.tell()
        self._reporter.take(self.reported.questions())
        output = bytes(self._output)
        self._output.clear()
        signals = self.reported.take(output)
        self.is_deaf = self.is_deaf or Signal.UNWATCHED in signals
