"""Whoever is at the other end of a relay may say anything: it is refused in words, and nothing else happens."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.inside.frames import (
    CLOSE,
    CREDIT,
    DATA,
    END,
    LONGEST_FRAME,
    OPEN,
    READY,
    WINDOW,
    Broken,
    Decoder,
    pack,
    pack_credit,
)
from sandboxd.inside.relay import Relay
from tests.patience import PATIENCE
from tests.unit.forward.streams import Trunk

HEAD = struct.Struct(">BII")


class Outside:
    """The outer end, with one connection that is open, and the stream to it."""

    def __init__(self) -> None:
        here, self.there = socket.socketpair()
        self.there.settimeout(PATIENCE)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client = socket.create_connection(self._listener.getsockname(), PATIENCE)
        self.refused: list[tuple[str, str]] = []
        self.relay = Relay(Trunk(here), refused=lambda *words: self.refused.append(words))
        self._here = here
        self.relay.listen(self._listener, "80")
        self.there.sendall(pack(READY, 0))
        while not self._is_open():
            self.relay.turn(PATIENCE)

    def _is_open(self) -> bool:
        self.there.setblocking(False)
        try:
            return self.there.recv(100) == pack(OPEN, 1, b"80")
        except BlockingIOError:
            return False
        finally:
            self.there.settimeout(PATIENCE)

    def hear(self, data: bytes) -> None:
        """Take `data` and then the end of the stream."""
        self.there.sendall(data)
        self.there.shutdown(socket.SHUT_WR)
        while self.relay.turn(PATIENCE):
            pass

    def close(self) -> None:
        self.relay.close()
        for each in (self._here, self.there, self._listener, self._client):
            each.close()


@contextlib.contextmanager
def outside() -> Iterator[Outside]:
    end = Outside()
    try:
        yield end
    finally:
        end.close()


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (pack(CREDIT, 1, b"x"), "a frame of a wrong size"),
        (pack(CREDIT, 1, b"12345"), "a frame of a wrong size"),
        (pack(READY, 0, b"x"), "a frame of a wrong size"),
        (pack(END, 1, b"x"), "a frame of a wrong size"),
        (pack(READY, 1), "a frame for no connection"),
        (pack(DATA, 0, b"x"), "a frame for no connection"),
        (pack_credit(1, 1), "credit for more than was sent"),
        (pack_credit(1, 2**32 - 1), "credit for more than was sent"),
        (pack(0, 1), "a frame of an unknown kind"),
        (pack(7, 1), "a frame of an unknown kind"),
        (HEAD.pack(DATA, 1, LONGEST_FRAME + 1), "a frame that is too long"),
        (pack(DATA, 2, b"x"), "a frame for a connection that nobody opened"),
        (pack_credit(2**32 - 1, 1), "a frame for a connection that nobody opened"),
        (pack(CLOSE, 2, b"x"), "a frame for a connection that nobody opened"),
        (pack(OPEN, 2, b"22"), "a wish for a connection to this machine"),
        (pack(READY, 0), "twice that it is there"),
        (pack(END, 1) * 2, "more of a connection than its end"),
        (pack(END, 1) + pack(DATA, 1, b"x"), "more of a connection than its end"),
    ],
)
def test_a_frame_without_meaning_ends_the_relay_in_words(lie: bytes, words: str) -> None:
    with outside() as end, pytest.raises(Broken, match=f"^{words}$"):
        end.hear(lie)


def test_more_than_a_window_that_cannot_be_written_ends_the_relay() -> None:
    relay = Relay(Trunk(socket.socketpair()[0]), lambda _: socket.socket())
    relay._handle(OPEN, 1, b"80")
    relay._handle(DATA, 1, b"x" * WINDOW)
    with pytest.raises(Broken, match="more of a connection than it may"):
        relay._handle(DATA, 1, b"x")
    relay.close()


def test_a_connection_that_is_closed_already_is_no_lie() -> None:
    with outside() as end:
        end.hear(
            pack(CLOSE, 1) + pack(DATA, 1, b"x") + pack_credit(1, 7) + pack(CLOSE, 1, b"again")
        )
        assert end.refused == []


def test_the_reason_of_the_other_end_is_cut_to_one_line() -> None:
    with outside() as end:
        end.hear(pack(CLOSE, 1, ("no\nroom " + "\u00fc" * 100_000).encode()))
        assert end.refused == [("80", "no room " + "\u00fc" * 192)]


numbers = st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1))
contents = st.one_of(
    st.binary(max_size=12), st.integers(0, 2**32 - 1).map(struct.Struct(">I").pack)
)
frames = st.lists(st.builds(pack, st.integers(0, 8), numbers, contents), max_size=8).map(b"".join)


@given(st.one_of(frames, st.binary(max_size=200), st.tuples(frames, st.binary(max_size=20)).map(b"".join)))  # fmt: skip
def test_whatever_arrives_outside_nothing_but_broken_is_raised(data: bytes) -> None:
    with outside() as end, contextlib.suppress(Broken):
        end.hear(data)


def refuse(target: str) -> socket.socket:
    raise ValueError(target)


@given(st.one_of(frames, st.binary(max_size=200)), st.booleans())
def test_whatever_arrives_inside_nothing_but_broken_is_raised(data: bytes, dials: bool) -> None:
    here, there = socket.socketpair()
    there.sendall(data)
    there.shutdown(socket.SHUT_WR)
    relay = Relay(Trunk(here), (lambda _: socket.socketpair()[0]) if dials else refuse)
    with contextlib.suppress(Broken):
        while relay.turn(PATIENCE):
            pass
    relay.close()
    here.close()
    there.close()


whole = st.one_of(
    st.just((READY, 0, b"")),
    st.tuples(st.sampled_from([OPEN, DATA, CLOSE]), st.integers(1, 2**32 - 1), st.binary(max_size=40)),
    st.tuples(st.just(END), st.integers(1, 2**32 - 1), st.just(b"")),
    st.tuples(st.just(CREDIT), st.integers(1, 2**32 - 1), st.binary(min_size=4, max_size=4)),
)  # fmt: skip


@given(st.lists(whole), st.integers(1, 50))
def test_frames_come_out_as_they_went_in(sent: list[tuple[int, int, bytes]], size: int) -> None:
    data = b"".join(pack(*frame) for frame in sent)
    decoder = Decoder()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [frame for piece in pieces for frame in decoder.take(piece)] == sent


@pytest.mark.parametrize("target", ["0", "65536", "-1", "x", "", "9" * 5000])
def test_a_port_that_cannot_be_is_refused_inside(target: str) -> None:
    from sandboxd.inside.ports import dial

    with pytest.raises(ValueError):
        dial(target)
