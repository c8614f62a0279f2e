"""A reporter of this process and what reads it, with no process and no clock between them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path

from sandboxd.sync.inside import Reporter, Watches
from sandboxd.sync.reported import Reported, Signal
from sandboxd.sync.scan import Limits
from sandboxd.sync.state import Snapshot


def excludes(path: str, is_folder: bool) -> bool:
    return path.rpartition("/")[2] == "no"


class Played:
    """The reporter of `folder`, and `reported`, which asks it. `transcript` is all that it said."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        watches: Watches | None = None,
        excludes: Callable[[str, bool], bool] = excludes,
    ) -> None:
        self.transcript = bytearray()
        self.asked = bytearray()
        self._output = bytearray()
        self.reported = Reported(excludes, limits)
        root = os.open(folder, os.O_RDONLY)
        self.watches = watches or Watches()
        self.reporter = Reporter(root, self.watches, self._output.extend)
        # Of the watches a system gives a few to all programs of a user.
        weakref.finalize(self, _close, root, self.watches.reader)

    def step(self) -> frozenset[Signal]:
        """Hand what was asked in, and what was said out."""
        questions = self.reported.questions()
        self.asked += questions
        self.reporter.take(questions)
        self.reporter.tell()
        output = bytes(self._output)
        self.transcript += output
        self._output.clear()
        return self.reported.take(output)

    def rest(self) -> frozenset[Signal]:
        """Step until nothing is open; what was said unasked."""
        signals = self.step()
        while not self.reported.is_at_rest:
            signals |= self.step()
        return signals

    def look(self) -> Snapshot:
        """The state once nothing is open."""
        self.rest()
        return self.reported.snapshot()


class PlayedStream:
    """A reporter of this process at the end of a stream: it answers at once, and nobody waits."""

    def __init__(self, folder: Path, make: Callable[..., Reporter] = Reporter) -> None:
        self._output = bytearray()
        root = os.open(folder, os.O_RDONLY)
        watches = Watches()
        self._reporter = make(root, watches, self._output.extend)
        self.reader, self.writer = os.pipe()
        # Something can always be received and sent.
        os.write(self.writer, b"x")
        self.close = weakref.finalize(self, _close, root, watches.reader, self.reader, self.writer)

    def receive(self) -> bytes | None:
        self._reporter.tell()
        data = bytes(self._output)
        self._output.clear()
        return data or None

    def send(self, data: memoryview) -> int:
        self._reporter.take(bytes(data))
        return len(data)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
