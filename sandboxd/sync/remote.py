"""A side that is no folder of this machine: a reporter there says what it has, and changes it.

The reporter is hostile. What it says is limited and checked by `reported`, and judged again where it is written on the
host. It may be silent or never stop: every wait has a limit.
"""

from __future__ import annotations

import collections
import errno
import itertools
import os
import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.sync import wire
from sandboxd.sync.apply import CHANGED, FULL, FULL_BEFORE, Skip, Source
from sandboxd.sync.asked_change import change_of
from sandboxd.sync.checked import Check
from sandboxd.sync.engine import Changed, Deaf, Event
from sandboxd.sync.hearing import Hearing, Sweeps
from sandboxd.sync.reported import Answer, Reported, Signal
from sandboxd.sync.scan import Limits
from sandboxd.sync.stamps import Stamp, Stamps
from sandboxd.sync.state import Entry, Kind, Root, Snapshot, above
from sandboxd.sync.steps import Act, Side, Step

LOOK_SECONDS = 900.0
"""The longest time that one look at all of it may take."""
_SILENT_SECONDS = 120
"""The longest time for which it may say nothing while something is asked: it may be reading a large file."""
_MOST_UNSENT = 256 << 10
"""Bytes that wait to be sent, at most: a file is read no faster than it is taken."""
_MOST_OPEN = 500
"""Changes without an answer, at most."""
_MOST_PIECES = 1000
"""Pieces of output that are taken before anything is asked, at most."""
_MOST_RECOVERED = 100
"""Leftovers that are asked about after one look, at most: whoever is inside can make any number."""
_FEW_FILES = 20
"""So many new files are flushed to the disk one by one; more are flushed together, since that takes as long as a few."""

_OTHER_THERE = frozenset((errno.EAGAIN, errno.EEXIST))
_NOTHING_THERE = frozenset((errno.ENOENT, errno.ENOTDIR))


class Ended(Exception):
    """The connection to the reporter is of no more use; the reason, for a person."""


class Stream(Protocol):
    """A connection to a reporter that never blocks, such as a `forward.trunk.Trunk`."""

    @property
    def reader(self) -> int:
        """The file descriptor to wait on before `receive`."""

    @property
    def writer(self) -> int:
        """The file descriptor to wait on before `send`."""

    def receive(self) -> bytes | None:
        """The bytes that have arrived; None if there are none yet, b"" at the end of the stream.

        :raises OSError: the connection failed
        """

    def send(self, data: memoryview) -> int:
        """Send the beginning of `data`; returns the number of bytes that were sent, 0 if none can be sent now.

        :raises OSError: the connection failed
        """


class _Open(NamedTuple):
    """A step without an answer so far; `number` is its place, `why` the reason why its file could not be read."""

    number: int
    step: Step
    answer: Answer
    why: str


class RemoteSide:
    """The folder of the reporter at the other end of `stream`. One thread uses it, except for `hearing` and `end`.

    :param root: its identity, which nobody inside decides
    :param tell: called with events, in any thread
    :param stamps: where a later connection finds what its files held; None for nowhere
    """

    def __init__(
        self,
        stream: Stream,
        root: Root,
        tell: Callable[[Event], None],
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        stamps: Stamps | None = None,
    ) -> None:
        self._stamps = stamps
        self._stream, self._root, self._tell = stream, root, tell
        self._limits, self._clock, self._sweeps = limits, clock, Sweeps(clock)
        self._reported: Reported | None = None
        self._unsent, self._is_deaf, self._check = bytearray(), False, Check()
        self._entries: Mapping[str, Entry] = {}
        self.hearing = Hearing(lambda: stream.reader, lambda: tell(Changed(Side.INSIDE)))
        """Tells of changes while it runs."""

    # -- its state

    def scan(self, excludes: Callable[[str, bool], bool]) -> Snapshot:
        """Return its present state.

        :raises FileNotFoundError: its folder cannot be read
        :raises Ended: the reporter ended, breaks the protocol, or does not come to an end
        """
        reported = self._reported_without(excludes)
        self.hearing.begin_look()
        for _ in range(_MOST_PIECES):
            if not self._receive():
                break
        if self._sweeps.is_due() or self._is_deaf:
            reported.look_again()
        reported.begin_look()
        until = self._clock() + LOOK_SECONDS
        while not reported.is_at_rest:
            if self._clock() > until:
                raise Ended("a look at the copy inside takes too long")
            self._exchange()
        snapshot = self._check.checked(reported.snapshot()._replace(root=self._root))
        self._entries = snapshot.entries
        self.hearing.end_look()
        if reported.end_look():
            self._tell(Changed(Side.INSIDE))
        return snapshot

    def save_stamps(self) -> None:
        """As `LocalSide.save_stamps`."""
        if self._stamps is not None and self._reported is not None:
            self._reported.save_stamps(self._stamps)

    def _load(self, reported: Root, boot: bytes) -> Mapping[str, Stamp]:
        return {} if self._stamps is None else self._stamps.load(self._root, reported, boot)

    def source(self) -> Source:
        """The functions with which the host's side reads from it."""
        return Source(self._read, self._is_gone)

    def _reported_without(self, excludes: Callable[[str, bool], bool]) -> Reported:
        if self._reported is None:
            self._reported = Reported(excludes, self._limits, self._load)
        else:
            self._reported.exclude(excludes)
        return self._reported

    def _read(self, path: str) -> Iterator[bytes]:
        """The bytes of the file at `path`, as many as it had at the last scan.

        :raises OSError: it cannot be read
        """
        entry = self._entries.get(path)
        reading = self._asked.read(path, entry.size if entry is not None else 0)
        try:
            while True:
                yield from reading.take()
                if reading.code is not None:
                    break
                self._exchange()
        finally:
            reading.drop()
        if reading.code:
            raise OSError(reading.code, os.strerror(reading.code), path)

    def _is_gone(self, path: str) -> bool:
        answer = self._asked.read(path, 0)
        self._wait_for(answer)
        return answer.code in _NOTHING_THERE

    # -- its changes

    def apply(self, steps: Iterable[Step], source: Source) -> tuple[Skip, ...]:
        """Do `steps` in their order with content from `source`; return those that were not done.

        :raises EnvironmentFailure: what was written is not on the disk there
        :raises Ended: as of `scan`
        """
        todo = tuple(steps)
        is_durable = sum(map(_is_file_written, todo)) <= _FEW_FILES
        skips: dict[int, Skip] = {}
        doing: collections.deque[_Open] = collections.deque()
        for number, step in enumerate(todo):
            if step.act is Act.REMOVE and (number == 0 or todo[number - 1].act is not Act.REMOVE):
                # Whether there was room for what is made decides whether anything is removed.
                self._settle(doing, skips, 0)
            if why := _why_not(step, skips.values(), source):
                skips[number] = Skip(step, why)
                continue
            doing.append(_Open(number, step, *self._begin(step, source, is_durable)))
            self._settle(doing, skips, _MOST_OPEN)
        self._settle(doing, skips, 0)
        if not is_durable:
            self._flush()
        for folder in {above(step.path) for step in todo}:
            self._asked.look(folder)
        return tuple(skips[number] for number in sorted(skips))

    def recover(self, leftovers: Iterable[str]) -> None:
        """Have what a killed run left at the paths `leftovers` removed, or named so that it is seen.

        :raises Ended: as of `scan`
        """
        for path in itertools.islice(leftovers, _MOST_RECOVERED):
            answer = self._change(wire.Change(wire.RECOVER, os.fsencode(path)))
            self._wait_for(answer)
            if not answer.code:
                self._asked.look(above(path))
        self.hearing.end_look()
        if not self._asked.is_at_rest:
            self._tell(Changed(Side.INSIDE))

    def hold_others(self) -> None:
        """Stop the other processes inside, as far as our program may; the next look is at everything.

        :raises EnvironmentFailure: it says that it cannot
        :raises Ended: as of `scan`
        """
        answer = self._change(wire.Change(wire.HOLD))
        self._wait_for(answer)
        if answer.code:
            raise EnvironmentFailure(
                f"what runs inside cannot be stopped: {os.strerror(answer.code).lower()}", "end it"
            )
        # No event tells of what was written through a mapping of a file.
        self._asked.look_again()

    def _begin(self, step: Step, source: Source, is_durable: bool) -> tuple[Answer, str]:
        """Send a step; returns its answer to come, and why its file could not be read, '' where it could."""
        change = change_of(step)._replace(is_durable=is_durable)
        if change.act != wire.WRITE:
            return self._change(change), ""
        number, frame = self._asked.begin_file(change)
        self._send(frame)
        why = ""
        try:
            for chunk in source.read(step.path):
                for at in range(0, len(chunk), wire.LARGEST_PART):
                    self._send(self._asked.part(number, chunk[at : at + wire.LARGEST_PART]))
        except SandboxdError as error:
            why = error.message
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        frame, answer = self._asked.end_file(number, step.path)
        self._send(frame)
        return answer, why

    def _change(self, change: wire.Change) -> Answer:
        frame, answer = self._asked.change(change)
        self._send(frame)
        return answer

    def _settle(self, doing: collections.deque[_Open], skips: dict[int, Skip], most: int) -> None:
        """Wait until at most `most` steps are without an answer, and note those that were not done."""
        while len(doing) > most:
            number, step, answer, why = doing.popleft()
            self._wait_for(answer)
            if why:
                skips[number] = Skip(step, why)
            elif answer.code:
                is_other = answer.code in _OTHER_THERE
                words = CHANGED if is_other else os.strerror(answer.code).lower()
                skips[number] = Skip(step, words, answer.code in FULL)

    def _flush(self) -> None:
        answer = self._change(wire.Change(wire.FLUSH))
        self._wait_for(answer)
        if answer.code:
            raise EnvironmentFailure(
                f"the copy inside is not on its disk: {os.strerror(answer.code).lower()}",
                "free some space where the engine keeps its volumes; it is tried again by itself",
            )

    # -- the connection

    @property
    def _asked(self) -> Reported:
        assert self._reported is not None, "nothing is asked before the first scan"
        return self._reported

    def _wait_for(self, answer: Answer) -> None:
        while answer.code is None:
            self._exchange()

    def _send(self, data: bytes) -> None:
        self._unsent += data
        while len(self._unsent) > _MOST_UNSENT:
            self._exchange()

    def _exchange(self) -> None:
        """Send and receive what can be; waits until something can.

        :raises Ended: nothing can any more
        """
        self.hearing.begin_look()
        self._unsent += self._asked.questions()
        if not self._unsent and self._asked.is_at_rest:
            # What waited to be asked was of no more use.
            return
        for _ in range(_SILENT_SECONDS):
            if self.hearing.is_ended:
                raise Ended("it was ended")
            has_received = self._receive()
            if self._transmit() or has_received:
                return
            self._wait_for_stream()
        raise Ended("the reporter inside does not answer")

    def _receive(self) -> bool:
        """Take what has arrived; returns whether anything has."""
        try:
            data = self._stream.receive()
        except OSError as error:
            raise Ended(f"the connection to the reporter inside failed: {error}") from None
        if data is None:
            return False
        if not data:
            raise Ended("the reporter inside ended")
        try:
            signals = self._asked.take(data)
        except wire.Broken as error:
            raise Ended(f"the reporter inside breaks the protocol: it sent {error}") from None
        if Signal.UNWATCHED in signals and not self._is_deaf:
            self._is_deaf = True
            self._tell(Deaf(Side.INSIDE, True))
        return True

    def _transmit(self) -> bool:
        """Send what can be sent; returns whether anything was."""
        if not self._unsent:
            return False
        try:
            with memoryview(self._unsent) as view:
                size = self._stream.send(view)
        except OSError as error:
            raise Ended(f"the connection to the reporter inside failed: {error}") from None
        del self._unsent[:size]
        return size > 0

    def _wait_for_stream(self) -> None:
        """Wait a second at most until something can be received, or what is unsent can be sent."""
        waiting = select.poll()
        waiting.register(self._stream.reader, select.POLLIN)
        if self._unsent:
            is_same = self._stream.writer == self._stream.reader
            events = select.POLLIN | select.POLLOUT if is_same else select.POLLOUT
            waiting.register(self._stream.writer, events)
        waiting.poll(1000)

    def end(self) -> None:
        """Have `hearing`, and whatever waits for the reporter, end soon; may be called from any thread."""
        self.hearing.end()


def _why_not(step: Step, skips: Iterable[Skip], source: Source) -> str:
    """Why a step must not be sent, '' where it may."""
    if step.act is not Act.REMOVE:
        return ""
    if any(skip.is_full for skip in skips):
        return FULL_BEFORE
    try:
        return "" if step.after is not None or source.is_gone(step.path) else CHANGED
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _is_file_written(step: Step) -> bool:
    is_made = step.act in (Act.CREATE, Act.REPLACE)
    return is_made and step.after is not None and step.after.kind is Kind.FILE
