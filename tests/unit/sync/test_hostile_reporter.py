"""Whatever a reporter says, its reader says that it is broken, or has a state that a folder can have."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.sync import wire
from sandboxd.sync.checked import checked
from sandboxd.sync.compare import compare
from sandboxd.sync.flows import Policy
from sandboxd.sync.reported import Reported
from sandboxd.sync.scan import Limits
from sandboxd.sync.state import Root, Snapshot, above
from sandboxd.sync.wire import Broken
from tests.unit.sync.playing import Played, excludes

LIMITS = Limits(entries=50, depth=4, size=1000)
HELLO = wire.pack(wire.HELLO, wire.HELLO_HEAD.pack(wire.VERSION, 1, 2, b""))
FILE = (0o100644, 3, 10, 10, 7, 1)
STATUS = wire.STATUS.pack(*FILE)
FOLDER = (0o40755, 0, 10, 10, 8, 1)


def listing(number: int, *entries: bytes) -> bytes:
    """Entries that the reporter says a folder has."""
    return b"".join(wire.pack_entries(number, entries))


def look(reported: Reported) -> None:
    """What holds of any state."""
    try:
        snapshot = reported.snapshot()
    except FileNotFoundError:
        return
    assert len(snapshot.entries) <= LIMITS.entries
    for path, entry in snapshot.entries.items():
        up = above(path)
        assert not up or snapshot.entries[up].is_folder
        assert not any(excludes(each, True) for each in (path, up))
        assert path.count("/") <= LIMITS.depth
        assert entry.size <= LIMITS.size or entry.content.kind.value != "file"
    # Nothing in it is a lie by its form.
    assert checked(snapshot).entries == snapshot.entries
    host = Snapshot(Root(9, 9), {})
    assert compare(host, checked(snapshot), {}, Policy()) is not None


class Hostile:
    """A reporter that says of `question` what `answer` makes up, and its reader."""

    def __init__(self) -> None:
        self.reported = Reported(excludes, LIMITS)
        self.reported.take(HELLO)

    def asked(self) -> list[tuple[int, bytes]]:
        return list(wire.Decoder(wire.QUESTIONS).take(self.reported.questions()))


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What an honest reporter says of a folder."""
    work = tmp_path_factory.mktemp("work")
    for name in ("a/b/c", "d/no", "e"):
        (work / name).mkdir(parents=True)
    for name in ("a/b/c/f", "a/x", "d/y", os.fsdecode(b"e/\xff")):
        (work / name).write_text(name, errors="surrogateescape")
    (work / "link").symlink_to("a")
    played = Played(work, limits=LIMITS)
    played.look()
    return bytes(played.transcript)


@pytest.mark.parametrize("seed", range(300))
def test_a_transcript_with_other_bytes(transcript: bytes, seed: int) -> None:
    random, data = Random(seed), bytearray(transcript)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data))
        match random.randrange(4):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + random.randint(1, 40)]
            case 2:
                data[at:at] = random.randbytes(random.randint(1, 40))
            case 3:
                data[at:at] = data[: random.randrange(len(data))]
    reported = Reported(excludes, LIMITS)
    try:
        while data:
            size = random.randint(1, 200)
            reported.take(bytes(data[:size]))
            del data[:size]
            reported.questions()
            look(reported)
    except Broken:
        look(reported)


NAMES = st.sampled_from([b"a", b"b", b"no", b"\xff", b".sandboxd-sync-1", b"x" * 255, b"a\n"])
MODES = st.sampled_from([0o100644, 0o100755, 0o40755, 0o120777, 0o10644, 0o20644, 0, 0xFFFFFFFF])
SIZES = st.sampled_from([0, 3, 1000, 1001, (1 << 64) - 1])
ENTRIES = st.lists(
    st.tuples(NAMES, MODES, SIZES, st.sampled_from([b"", b"a", b"/etc", b"\0", b"t" * 4096])),
    max_size=6,
)


@given(st.data())
def test_answers_that_are_lies(data: st.DataObject) -> None:
    hostile = Hostile()
    for _ in range(12):
        for kind, content in hostile.asked():
            (number,) = wire.NUMBER.unpack_from(content)
            code = data.draw(st.sampled_from([0, 0, 0, 2, 13, 65535]))
            end = wire.pack(wire.END, wire.END_HEAD.pack(number, code, -(1 << 63)))
            if kind == wire.LOOK:
                for name, mode, size, target in data.draw(ENTRIES):
                    inode = data.draw(st.integers(1, 3))
                    status = (mode, size, -1, 1 << 62, inode, 1)
                    entry = wire.pack_entry(status, name, target)
                    hostile.reported.take(listing(number, entry))
            elif kind == wire.HASH and not code:
                (_, size) = wire.SIZED.unpack_from(content)
                status = wire.STATUS.pack(0o100644, size, 1, 1, 1, 1)
                end = wire.pack(wire.FILE, wire.NUMBER.pack(number), status, bytes(32))
            hostile.reported.take(end)
            path = data.draw(st.sampled_from([b"", b"a", b"a/a", b"../x", b"no", b"\0"]))
            hostile.reported.take(wire.pack(wire.CHANGED, path))
        look(hostile.reported)


LIES: dict[str, tuple[Callable[[int], bytes], str]] = {
    "another number": (lambda n: _end(n + 1), "answer to nothing"),
    "a file of a folder": (
        lambda n: wire.pack(wire.FILE, wire.NUMBER.pack(n), STATUS, bytes(32)),
        "another answer",
    ),
    "bytes of a folder": (
        lambda n: wire.pack(wire.DATA, wire.NUMBER.pack(n), b"x"),
        "another answer",
    ),
    "a second beginning": (lambda n: HELLO, "second beginning"),
    "a target that is cut": (
        lambda n: listing(n, wire.pack_entry(FILE, b"f", b"to")[:-1]),
        "a part",
    ),
    "an answer twice": (lambda n: _end(n) + _end(n), "answer to nothing"),
    "a name that leads up": (lambda n: listing(n, wire.pack_entry(FILE, b"..")), "no entry"),
}


def _end(number: int, code: int = 0) -> bytes:
    return wire.pack(wire.END, wire.END_HEAD.pack(number, code, 0))


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_answer_is_broken(lie: str) -> None:
    hostile = Hostile()
    ((_, content),) = hostile.asked()
    say, words = LIES[lie]
    with pytest.raises(Broken, match=words):
        hostile.reported.take(say(wire.NUMBER.unpack_from(content)[0]))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_end(1), "no beginning"),
        (wire.pack(wire.LOST), "no beginning"),
        (wire.pack(wire.HELLO, wire.HELLO_HEAD.pack(1, 1, 2, b"")), "another version"),
    ],
)
def test_it_begins_with_its_version(data: bytes, words: str) -> None:
    with pytest.raises(Broken, match=words):
        Reported(excludes).take(data)


def test_a_file_of_another_size_and_more_bytes_than_were_asked_for() -> None:
    for is_read in (False, True):
        hostile = Hostile()
        ((_, content),) = hostile.asked()
        (number,) = wire.NUMBER.unpack_from(content)
        hostile.reported.take(listing(number, wire.pack_entry(FILE, b"f")) + _end(number))
        ((kind, content),) = hostile.asked()
        assert (kind, content[-1:]) == (wire.HASH, b"f")
        (number, size) = wire.SIZED.unpack_from(content)
        if not is_read:
            other = wire.STATUS.pack(0o100644, size + 1, 10, 10, 7, 1)
            with pytest.raises(Broken, match="another kind or size"):
                hostile.reported.take(
                    wire.pack(wire.FILE, wire.NUMBER.pack(number), other, bytes(32))
                )
            continue
        hostile.reported.take(_end(number, 11))
        hostile.reported.read("f", 3)
        ((_, content),) = hostile.asked()
        with pytest.raises(Broken, match="more bytes"):
            hostile.reported.take(wire.pack(wire.DATA, content[:4], b"four"))


def test_a_flood_of_entries_and_of_changes_is_held_within_bounds() -> None:
    hostile = Hostile()
    ((_, content),) = hostile.asked()
    (number,) = wire.NUMBER.unpack_from(content)
    for each in range(10_000):
        name = b"%d" % each
        hostile.reported.take(listing(number, wire.pack_entry(FOLDER, name)))
    hostile.reported.take(_end(number))
    snapshot = hostile.reported.snapshot()
    assert len(snapshot.entries) == LIMITS.entries
    assert not snapshot.is_whole
    for _ in range(10_000):
        hostile.reported.take(wire.pack(wire.CHANGED, b"") + wire.pack(wire.LOST))
    # One question for each folder that is known, however often it says that it changed.
    assert len(hostile.asked()) <= LIMITS.entries + 1


def test_links_that_are_long_take_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandboxd.sync.reported_tree._MOST_BYTES", 10_000)
    hostile = Hostile()
    ((_, content),) = hostile.asked()
    (number,) = wire.NUMBER.unpack_from(content)
    status = (0o120777, 3, 10, 10, 7, 1)
    for each in range(10):
        entry = wire.pack_entry(status, b"%d" % each, b"t" * 4096)
        hostile.reported.take(listing(number, entry))
    hostile.reported.take(_end(number))
    assert len(hostile.reported.snapshot().entries) == 2
    assert not hostile.reported.snapshot().is_whole
