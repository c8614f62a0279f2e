"""Frames: what was packed is split again however it arrives, and nothing else is taken."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.sync import wire
from sandboxd.sync.wire import ANSWERS, QUESTIONS, Broken, Decoder, pack

KINDS = [*((QUESTIONS, kind) for kind in QUESTIONS), *((ANSWERS, kind) for kind in ANSWERS)]


@given(st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(0, 400), max_size=8))
def test_frames_are_split_however_they_arrive(paths: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pack(wire.CHANGED, path) for path in paths)
    decoder = Decoder(ANSWERS)
    frames: list[tuple[int, bytes]] = []
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in itertools.pairwise(ends):
        frames += decoder.take(data[begin:end])
    assert frames == [(wire.CHANGED, path) for path in paths]


@pytest.mark.parametrize(("kinds", "kind"), KINDS)
def test_each_kind_has_its_sizes(kinds: dict[int, tuple[int, int]], kind: int) -> None:
    least, most = kinds[kind]
    for size in {least, most}:
        content = bytes(size)
        assert list(Decoder(kinds).take(pack(kind, content))) == [(kind, content)]
    # It is said as soon as the head is there: nothing of it is waited for, nor held.
    for size in {least - 1, most + 1} - {-1}:
        with pytest.raises(Broken, match="wrong size"):
            list(Decoder(kinds).take(pack(kind, bytes(size))[:5]))


@pytest.mark.parametrize(("kinds", "kind"), [(ANSWERS, wire.LOOK), (QUESTIONS, wire.HELLO)])
def test_one_end_does_not_speak_as_the_other(kinds: dict[int, tuple[int, int]], kind: int) -> None:
    with pytest.raises(Broken, match="unknown kind"):
        list(Decoder(kinds).take(pack(kind, b"\0" * 4)))


@given(st.binary(max_size=300), st.sampled_from([ANSWERS, QUESTIONS]))
def test_any_bytes_are_frames_or_broken(data: bytes, kinds: dict[int, tuple[int, int]]) -> None:
    try:
        for kind, content in Decoder(kinds).take(data):
            least, most = kinds[kind]
            assert least <= len(content) <= most
    except Broken:
        pass


STATUS = (0o100644, 1, -2, 3, 4, 5)


def contents(*entries: bytes) -> list[bytes]:
    """The contents of the frames with `entries`."""
    data = b"".join(wire.pack_entries(7, entries))
    return [content for kind, content in Decoder(ANSWERS).take(data) if kind == wire.ENTRIES]


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"a\0", b"/"])
def test_a_name_is_one_of_an_entry(name: bytes) -> None:
    (content,) = contents(wire.pack_entry(STATUS, b"first"), wire.pack_entry(STATUS, name, b"xx"))
    with pytest.raises(Broken, match="no entry"):
        list(wire.entries_of(content))


@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=255).filter(
                lambda name: name not in (b".", b"..") and not {0, ord("/")} & {*name}
            ),
            st.sampled_from([b"", b"to", b"t" * 4096]),
        ),
        max_size=40,
    )
)
def test_entries_are_read_as_they_were_packed(named: list[tuple[bytes, bytes]]) -> None:
    read: list[object] = []
    for content in contents(*(wire.pack_entry(STATUS, *each) for each in named)):
        read += wire.entries_of(content)
        for size in (5, len(content) - 1):
            # What is cut off is said.
            with pytest.raises(Broken, match="a part of an entry"):
                list(wire.entries_of(content[:size]))
    assert read == [(STATUS, *each) for each in named]
