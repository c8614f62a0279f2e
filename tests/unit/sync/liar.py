"""A reporter that means ill: it lies about what is there and what it did, floods, and has the folder change under way."""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections.abc import Callable

from sandboxd.sync import wire
from sandboxd.sync.inside import Reporter, Watches

NAMES = (
    *(b"a", b"b", b"src", b"Makefile", b".envrc", b".ENVRC", b".git", b".GIT", b"git~1", b"HEAD", b"config"),
    *(b".vscode", b"tasks.json", b".gitattributes", b".envrc.", b".en\xe2\x80\x8bvrc", b"a.inside-0a1b2c3d"),
    *(b".envrc.inside-0a1b2c3d", b".sandboxd-sync-0", b"\xff\xfe", b"caf\xc3\xa9", b"cafe\xcc\x81", b"x" * 255),
)  # fmt: skip
MODES = (0o100644, 0o100755, 0o104777, 0o40755, 0o120777, 0o10644, 0o20644, 0o140644, 0)
TARGETS = (b"a", b"..", b"../../outside/treasure", b"/etc/passwd", b".git/hooks", b"", b"a" * 4000)
ERRORS = (1, 2, 5, 11, 13, 17, 20, 28, 40, 65535)


class Liar(Reporter):
    """What it makes up has texts that begin as those of an actor inside, so that whoever finds one knows its origin.

    :param chooser: decides when and how it lies
    :param act: has somebody change one of the sides
    """

    def __init__(
        self,
        root: int,
        watches: Watches | None,
        write: Callable[[bytes], None],
        chooser: random.Random,
        act: Callable[[], None],
    ) -> None:
        self._made_up: dict[str, bytes] = {}
        self._random, self._act = chooser, act
        super().__init__(root, watches, write)

    def _answer(self, kind: int, number: int, content: bytes) -> bool:
        chance = self._random.random
        if chance() < 0.02:
            self._act()
        if chance() < 0.002:
            self._flood()
        if chance() < 0.001:
            self._write(self._nonsense(number))
        if chance() < 0.01:
            raise OSError(self._random.choice(ERRORS), "a lie")
        if kind in (wire.HASH, wire.READ):
            path = os.fsdecode(content[wire.SIZED.size :])
            if path in self._made_up:
                return self._tell_made_up(kind, number, path)
        if kind in (wire.DO, wire.PART) and chance() < 0.05:
            # It says that it did it; of a file that comes in parts the last one alone is answered.
            return kind == wire.PART and len(content) > wire.NUMBER.size
        is_answered = super()._answer(kind, number, content)
        if kind == wire.LOOK and chance() < 0.3:
            self._make_up(number, os.fsdecode(content[wire.NUMBER.size :]))
        return is_answered

    def _make_up(self, number: int, folder: str) -> None:
        """Entries that are not there."""
        for _ in range(self._random.choice((1, 2, 5))):
            name, mode = self._random.choice(NAMES), self._random.choice(MODES)
            path = os.path.join(folder, os.fsdecode(name))
            text = b"inside:lie of %d" % self._random.randrange(1 << 30)
            size = self._random.choice((len(text), len(text), 0, 1 << 62))
            target = self._random.choice(TARGETS) if stat.S_ISLNK(mode) else b""
            times = (self._random.choice((1, -1, 1 << 62)), 10**18)
            status = (mode, size, *times, self._random.randrange(1 << 60), 1)
            if stat.S_ISREG(mode):
                self._made_up[path] = text
            entry = wire.pack_entry(status, name, target)
            self._write(b"".join(wire.pack_entries(number, [entry])))

    def _tell_made_up(self, kind: int, number: int, path: str) -> bool:
        text = self._made_up[path]
        if kind == wire.READ:
            shown = text if self._random.random() < 0.8 else b"inside:another"
            self._write(wire.pack(wire.DATA, wire.NUMBER.pack(number), shown))
            return False
        status = wire.STATUS.pack(0o100644, len(text), 1, 10**18, 1, 1)
        digest = hashlib.sha256(text).digest()
        self._write(wire.pack(wire.FILE, wire.NUMBER.pack(number), status, digest))
        return True

    def _flood(self) -> None:
        for _ in range(200):
            path = self._random.choice((b"", b"a", b"../..", b"/", b"\0", b"a/" * 100, b".git"))
            self._write(wire.pack(wire.CHANGED, path))
            self._write(wire.pack(wire.LOST))

    def _nonsense(self, number: int) -> bytes:
        """What ends the connection, most often."""
        return self._random.choice(
            (
                b"\xff" * 20,
                wire.pack(wire.DATA, wire.NUMBER.pack(number ^ 1), b"x"),
                wire.pack(wire.END, wire.END_HEAD.pack(number ^ 1, 0, 0)),
                wire.pack(wire.HELLO, wire.HELLO_HEAD.pack(wire.VERSION, 3, 4, b"")),
                wire.pack(wire.UNWATCHED, b"../x"),
            )
        )
