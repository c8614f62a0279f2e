"""The state of the side inside, as its reporter sends it: bytes come in, requests and changes go out. Pure.

The reporter is hostile. It is asked for each folder separately, so that nothing which the policy excludes is read, and
its answers only concern its own side: they are limited in size, have to be valid entries of a folder, and are checked
before anything is written. An answer to anything but the oldest open request ends the connection.
"""

from __future__ import annotations

import collections
import enum
import os
import stat
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.sync import wire
from sandboxd.sync.reported_tree import Listed, Tree, Want
from sandboxd.sync.scan import Limits
from sandboxd.sync.stamps import Stamp, Stamps, Work
from sandboxd.sync.state import Root, Snapshot
from sandboxd.sync.wire import Broken

_WINDOW = 32 << 10
"""The most bytes of unanswered requests: fewer than a pipe's buffer, so that the two ends cannot block each other."""


_CHANGE = Want(wire.DO, "")


class Signal(enum.Enum):
    """What the reporter sends without being asked."""

    CHANGED = "a folder changed"
    LOST = "events were lost, so everything is looked at"
    UNWATCHED = "a folder has no events, so everything is looked at from time to time"


class Answer:
    """An answer to come. `code` is None until it ended; then the error number, 0 for none."""

    def __init__(self) -> None:
        self.code: int | None = None


class Reading(Answer):
    """A file being read, of which at most `most` bytes may come."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most
        self._parts: list[bytes] = []
        self._is_wanted = True

    def add(self, part: bytes) -> None:
        """Add bytes that arrived.

        :raises Broken: more arrived than were asked for
        """
        self._left -= len(part)
        if self._left < 0:
            raise Broken("more bytes of a file than were asked for")
        if self._is_wanted:
            self._parts.append(part)

    def take(self) -> list[bytes]:
        """The pieces that arrived since the last call."""
        parts, self._parts = self._parts, []
        return parts

    def drop(self) -> None:
        """Keep nothing of what still comes."""
        self._is_wanted = False
        self._parts.clear()


class _Asked(NamedTuple):
    """An open request, of `size` bytes in the window; `answer` is of one for a file's bytes, and of a change."""

    number: int
    size: int
    want: Want
    answer: Answer | None = None


def _nothing(_root: Root, _boot: bytes) -> Mapping[str, Stamp]:
    return {}


class Reported:
    """The side's state, built from everything that the reporter sends.

    :param excludes: whether a path is not looked at; its second argument is whether it is a folder
    :param load: returns the stamps of the folder that the reporter says it reads, on that start of its machine
    :ivar work: which files were read
    """

    def __init__(
        self,
        excludes: Callable[[str, bool], bool],
        limits: Limits | None = None,
        load: Callable[[Root, bytes], Mapping[str, Stamp]] = _nothing,
    ) -> None:
        self._excludes, self._limits, self._load = excludes, limits or Limits(), load
        self.work = Work()
        self._decoder = wire.Decoder(wire.ANSWERS)
        self._tree: Tree | None = None
        self._why_no_root = "the reporter says nothing"
        self._number = self._open_bytes = 0
        self._waiting: collections.deque[tuple[Want, Answer | None]] = collections.deque()
        self._looks: set[str] = set()
        self._asked: collections.deque[_Asked] = collections.deque()
        self._listing: dict[str, Listed] = {}
        self._listing_bytes = 0
        self._is_cut = self._is_all_wanted = False
        self._is_looking = self._is_all_later = False
        self._later: set[str] = set()

    # -- what is asked

    def begin_look(self) -> None:
        """Have changes that are told from now on wait for the next look, so that this one comes to an end."""
        self._is_looking = True

    def end_look(self) -> bool:
        """Ask for what was told since `begin_look`; whether there is anything."""
        self._is_looking = False
        is_changed = bool(self._later) or self._is_all_later
        self._is_all_wanted = self._is_all_wanted or self._is_all_later
        for path in sorted(self._later):
            self._want_look(path)
        self._later.clear()
        self._is_all_later = False
        return is_changed

    def look_again(self) -> None:
        """Ask for every folder again; files whose times are unchanged are not read."""
        # Whoever floods with losses has it done once for each round of questions.
        self._is_all_wanted = True

    def read(self, path: str, most: int) -> Reading:
        """Ask for at most the first `most` bytes of the file at `path`."""
        reading = Reading(most)
        self._waiting.append((Want(wire.READ, path, most), reading))
        return reading

    def look(self, path: str) -> None:
        """Ask for the folder at `path` again, if its content is known."""
        if self._tree is not None and self._tree.has_listing(path):
            self._want_look(path)

    def exclude(self, excludes: Callable[[str, bool], bool]) -> None:
        """Exclude other paths from now on, if they are others: everything is looked at anew then."""
        if excludes == self._excludes:
            return
        self._excludes = excludes
        if self._tree is not None:
            root, stamps = self._tree.root, self._tree.stamps()
            self._tree = Tree(root, excludes, self._limits, stamps, self.work)
            self._want_look("")

    # -- what is changed: the bytes of each call are to be sent in the order of the calls

    def change(self, change: wire.Change) -> tuple[bytes, Answer]:
        """The bytes that ask for a change, which is not a file's, and its answer to come."""
        number = self._next_number()
        return wire.pack_change(number, change), self._open_change(number)

    def begin_file(self, change: wire.Change) -> tuple[int, bytes]:
        """The number of a file that is written, and the bytes that begin it."""
        number = self._next_number()
        return number, wire.pack_change(number, change)

    def part(self, number: int, data: bytes) -> bytes:
        """The bytes that add `data` to the file with `number`."""
        return wire.pack(wire.PART, wire.NUMBER.pack(number), data)

    def end_file(self, number: int, path: str) -> tuple[bytes, Answer]:
        """The bytes that end the file with `number`, which is at `path` then, and the answer to come."""
        return self.part(number, b""), self._open_change(number, Want(wire.PART, path))

    def _open_change(self, number: int, want: Want = _CHANGE) -> Answer:
        answer = Answer()
        self._asked.append(_Asked(number, 0, want, answer))
        return answer

    def _next_number(self) -> int:
        self._number = (self._number + 1) % (1 << 32)
        return self._number

    def questions(self) -> bytes:
        """The bytes to send now: as many requests as may be open at a time; b'' for none."""
        result = bytearray()
        if self._is_all_wanted and self._tree is not None:
            self._is_all_wanted = False
            self._tree.want_all()
            self._queue_wants()
        while self._tree is not None and self._waiting and self._open_bytes < _WINDOW:
            want, answer = self._waiting.popleft()
            if want.kind == wire.LOOK:
                self._looks.discard(want.path)
            if not self._tree.is_of_use(want):
                continue
            frame = _pack(self._next_number(), want)
            self._asked.append(_Asked(self._number, len(frame), want, answer))
            self._open_bytes += len(frame)
            result += frame
        return bytes(result)

    @property
    def is_at_rest(self) -> bool:
        """Whether every request is answered."""
        is_open = self._waiting or self._asked or self._is_all_wanted
        return self._tree is not None and not is_open

    def snapshot(self) -> Snapshot:
        """The side by the answers so far. `began` is 0, as the side's clock is not this machine's.

        :raises FileNotFoundError: the folder itself cannot be read
        """
        if self._tree is None or self._why_no_root:
            raise FileNotFoundError(self._why_no_root)
        return self._tree.snapshot()

    def save_stamps(self, stamps: Stamps) -> None:
        """Have a later connection ask for those files alone that changed meanwhile, where it is worth that."""
        if self._tree is not None and self.work.is_worth_saving(self._tree.size):
            stamps.save(self._tree.stamps())
            self.work.cost = 0

    def _queue_wants(self) -> None:
        assert self._tree is not None
        for want in self._tree.wants():
            if want.kind == wire.LOOK:
                self._want_look(want.path)
                continue
            if want.kind == wire.FORGET:
                # A look that waits would be undone by it, and one that is wanted from now on comes after.
                self._looks.discard(want.path)
            self._waiting.append((want, None))

    def _want_look(self, path: str) -> None:
        if path not in self._looks:
            self._looks.add(path)
            self._waiting.append((Want(wire.LOOK, path), None))

    # -- what is answered

    def take(self, data: bytes) -> frozenset[Signal]:
        """Process `data`; return the signals in it.

        :raises Broken: a correct reporter never sends that; the connection has to be closed
        """
        signals: set[Signal] = set()
        for kind, content in self._decoder.take(data):
            if self._tree is None:
                self._begin(kind, content)
            elif kind in (wire.CHANGED, wire.LOST, wire.UNWATCHED):
                self._take_signal(self._tree, kind, os.fsdecode(content), signals)
            elif kind == wire.HELLO:
                raise Broken("a second beginning")
            else:
                self._take_answer(self._tree, kind, content)
        return frozenset(signals)

    def _begin(self, kind: int, content: bytes) -> None:
        if kind != wire.HELLO:
            raise Broken("no beginning")
        version, device, inode, boot = wire.HELLO_HEAD.unpack(content)
        if version != wire.VERSION:
            raise Broken("another version of the protocol")
        root = Root(device, inode)
        stamps = self._load(root, boot if any(boot) else b"")
        self._tree = Tree(root, self._excludes, self._limits, stamps, self.work)
        self._want_look("")

    def _take_signal(self, tree: Tree, kind: int, path: str, signals: set[Signal]) -> None:
        if kind == wire.LOST:
            signals.add(Signal.LOST)
            if self._is_looking:
                self._is_all_later = True
            else:
                self.look_again()
        elif kind == wire.UNWATCHED:
            signals.add(Signal.UNWATCHED)
        elif tree.has_listing(path):
            # Of others it may say what it likes: nothing is known there that could be old.
            signals.add(Signal.CHANGED)
            if self._is_looking:
                self._later.add(path)
            else:
                self._want_look(path)

    def _take_answer(self, tree: Tree, kind: int, content: bytes) -> None:
        (number,) = wire.NUMBER.unpack_from(content)
        if not self._asked or number != self._asked[0].number:
            raise Broken("an answer to nothing")
        want, answer = self._asked[0].want, self._asked[0].answer
        if kind == wire.ENTRIES and want.kind == wire.LOOK:
            self._take_entries(tree, want, content)
        elif kind == wire.DATA and isinstance(answer, Reading):
            answer.add(content[wire.NUMBER.size :])
        elif kind == wire.FILE and want.kind == wire.HASH:
            _, status, digest = wire.file_of(content)
            if not stat.S_ISREG(status[0]) or status[1] != want.size:
                raise Broken("a file of another kind or size than was asked for")
            self._pop_asked()
            tree.put_file(want, status, digest)
        elif kind == wire.FILE and want.kind == wire.PART and answer is not None:
            _, status, digest = wire.file_of(content)
            self._pop_asked()
            tree.put_written(want.path, status, digest)
            answer.code = 0
        elif kind == wire.END:
            self._pop_asked()
            self._take_end(tree, want, answer, content)
        else:
            raise Broken("another answer than was asked for")

    def _pop_asked(self) -> None:
        self._open_bytes -= self._asked.popleft().size

    def _take_entries(self, tree: Tree, want: Want, content: bytes) -> None:
        listing, total = self._listing, self._listing_bytes
        room = tree.room(want.path)
        for status, name, target in wire.entries_of(content):
            size = total + len(name) + len(target)
            if len(listing) < room.entries and size <= room.size:
                listing[os.fsdecode(name)] = Listed(status, target)
                total = size
            else:
                self._is_cut = True
        self._listing_bytes = total

    def _take_end(self, tree: Tree, want: Want, answer: Answer | None, content: bytes) -> None:
        _, code, began = wire.END_HEAD.unpack(content)
        if answer is not None:
            answer.code = code
        elif want.kind == wire.HASH and not code:
            raise Broken("no answer")
        elif want.kind == wire.LOOK:
            listing, self._listing = self._listing, {}
            is_whole, self._is_cut, self._listing_bytes = not self._is_cut, False, 0
            # Whatever was told of it before the answer is in the answer.
            self._later.discard(want.path)
            if not want.path:
                self._why_no_root = os.strerror(code).lower() if code else ""
            if code:
                tree.put_failure(want, os.strerror(code).lower())
            else:
                tree.put_listing(want.path, listing, began, is_whole=is_whole)
            self._queue_wants()


def _pack(number: int, want: Want) -> bytes:
    path = os.fsencode(want.path)
    if want.kind in (wire.LOOK, wire.FORGET):
        return wire.pack(want.kind, wire.NUMBER.pack(number), path)
    return wire.pack(want.kind, wire.SIZED.pack(number, want.size), path)
