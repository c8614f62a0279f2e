"""Whatever a reporter does that is also asked to change its folder, the run ends, or its own copy alone is spoilt."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.sync import remote, wire
from sandboxd.sync.engine import Changed
from sandboxd.sync.remote import Ended, RemoteSide
from sandboxd.sync.run import Rest
from sandboxd.sync.steps import Side
from tests.unit.sync.kept import ROOT, Kept
from tests.unit.sync.pair import texts
from tests.unit.sync.playing import PlayedStream


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


class LyingStream(PlayedStream):
    """A reporter whose answers pass through `lie` once it is set."""

    lie: Callable[[bytes], bytes | None] | None = None

    def receive(self) -> bytes | None:
        data = super().receive()
        return self.lie(data or b"") if self.lie is not None else data


def _ends(data: bytes, code: int) -> bytes:
    """`data` with this error number in each end."""
    frames = wire.Decoder(wire.ANSWERS).take(data)
    result = b""
    for kind, content in frames:
        if kind == wire.END:
            number, _, began = wire.END_HEAD.unpack(content)
            content = wire.END_HEAD.pack(number, code, began)
        result += wire.pack(kind, content)
    return result


LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "it ends": (lambda _data: b"", "ended"),
    "an answer to nothing": (
        lambda _data: wire.pack(wire.END, wire.END_HEAD.pack(1 << 20, 0, 0)),
        "answer to nothing",
    ),
    "bytes of a file": (
        lambda data: data[:0] + wire.pack(wire.DATA, wire.NUMBER.pack(5), b"x"),
        "answer",
    ),
    "an unknown frame": (lambda _data: bytes([99, 0, 0, 0, 0]), "unknown kind"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_reporter_that_breaks_the_protocol_ends_the_run(tmp_path: Path, lie: str) -> None:
    kept = Kept(tmp_path)
    stream = LyingStream(kept.inside)
    kept.side = RemoteSide(stream, ROOT, kept.events.append)
    (kept.host / "file").write_text("text")
    kept.keep()
    (kept.host / "other").write_text("text")
    answer, words = LIES[lie]
    stream.lie = answer
    with pytest.raises(Ended, match=words):
        kept.keep()
    assert texts(kept.host) == {"file": "text", "other": "text"}


def test_a_reporter_that_claims_what_it_did_not_do_spoils_its_own_copy(tmp_path: Path) -> None:
    """The save inside after the comparison makes the change fail there, and it says that it was done."""
    kept = Kept(tmp_path)
    stream = LyingStream(kept.inside)
    kept.side = RemoteSide(stream, ROOT, kept.events.append)
    (kept.host / "file").write_text("before")
    kept.keep()
    (kept.host / "file").write_text("of the host")
    left = [True]

    def lie() -> None:
        if left:
            left.pop()
            (kept.inside / "file").write_text("of inside")
            stream.lie = lambda data: _ends(data, 0) if data else None

    report = kept.keep(between=lie)
    assert report.conflicts
    assert (kept.host / "file").read_text() == "of the host"
    assert "of inside" in texts(kept.host).values()


def test_a_silent_reporter_ends_the_run(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_SILENT_SECONDS", 3)
    (kept.host / "file").write_text("text")
    kept.keep()
    monkeypatch.setattr(PlayedStream, "receive", lambda _self: None)
    (kept.host / "other").write_text("text")
    with pytest.raises(Ended, match="does not answer"):
        kept.keep()


def test_a_reporter_that_tells_of_changes_without_a_pause_is_looked_at_again(
    tmp_path: Path,
) -> None:
    """As of a log that is written all the time: each look comes to an end, and there is another one."""
    kept = Kept(tmp_path)
    stream = LyingStream(kept.inside)
    kept.side = RemoteSide(stream, ROOT, kept.events.append)
    (kept.host / "file").write_text("text")
    stream.lie = lambda data: data + wire.pack(wire.CHANGED, b"") + wire.pack(wire.LOST)
    assert kept.keep().rest is Rest.SAME
    assert kept.is_same()
    assert Changed(Side.INSIDE) in kept.events


def test_a_look_that_takes_too_long_ends_the_run(kept: Kept) -> None:
    times = itertools.count(0.0, remote.LOOK_SECONDS / 2)
    kept.side = RemoteSide(kept.stream, ROOT, kept.events.append, clock=lambda: next(times))
    (kept.inside / "a/b/c/d").mkdir(parents=True)
    (kept.host / "file").write_text("text")
    with pytest.raises(Ended, match="too long"):
        kept.keep()
    assert texts(kept.host) == {"file": "text"}
