"""Streams of a command, and how its end is told from the end of its container."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sandboxd.engine import execute, failures
from sandboxd.engine.client import Exec
from sandboxd.engine.execute import wait_for_code
from sandboxd.engine.frames import Chunks, pump
from tests.patience import PATIENCE
from tests.unit.engine.fake_engine import answering


class Pieces:
    """A connection that gives its data in pieces of one size."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces: Iterator[bytes] = iter(
            [data[i : i + size] for i in range(0, len(data), size)]
        )

    def recv(self, size: int, /) -> bytes:
        return next(self._pieces, b"")


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("size", [1, 3, 8, 9, 100000])
@pytest.mark.parametrize("surplus", [0, 5])
def test_streams_are_told_apart_however_they_arrive(size: int, surplus: int) -> None:
    data = frame(1, b"out") + frame(2, b"") + frame(2, b"err") + frame(1, b"x" * 70000)
    pieces = {1: b"", 2: b""}

    def write(stream: int, piece: bytes) -> None:
        pieces[stream] += piece

    pump(Pieces(data[surplus:], size), data[:surplus], False, write)
    assert pieces == {1: b"out" + b"x" * 70000, 2: b"err"}


def test_a_terminal_has_one_stream_without_frames() -> None:
    pieces = []
    pump(
        Pieces(b"\x02\x00raw", 2),
        b"first",
        True,
        lambda stream, data: pieces.append((stream, data)),
    )
    assert b"".join(data for _, data in pieces) == b"first\x02\x00raw"
    assert {stream for stream, _ in pieces} == {1}


BODY = b"1\r\nA\r\n5;name=value\r\n\r\nB\r\n\r\nfF\r\n" + b"x" * 255 + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("surplus", [0, 4, 11])
def test_chunks_become_the_body_again_however_they_arrive(size: int, surplus: int) -> None:
    body = Chunks(Pieces(BODY[surplus:], size), BODY[:surplus])
    data = b""
    while piece := body.recv(100):
        assert len(piece) <= 100
        data += piece
    assert data == b"A\r\nB\r\n" + b"x" * 255
    assert body.recv(100) == b""


@pytest.mark.parametrize(
    "body",
    [BODY[:-6], BODY[:3], b"", b"x\r\n", b"-1\r\n", b"\r\n", b"1\r\nAB\r\n0\r\n", b"1" * 9999],
    ids=repr,
)
def test_a_body_that_is_not_whole_is_no_end(body: bytes) -> None:
    chunks = Chunks(Pieces(body, 5), b"")
    with pytest.raises(ValueError):
        while chunks.recv(100):
            continue


def test_a_hanging_stream_ends_in_time() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        pump(execute.Limited(ours, 0.1), b"", False, lambda *_: None)


def ending(exec_answer: tuple[int, Any], state: dict[str, Any] | None) -> Any:
    """Answers of an engine about a command and its container; no state: it is removed."""

    def answer(_: str, target: str) -> tuple[int, object]:
        if target.startswith("/exec/"):
            return exec_answer
        if state is None:
            return 404, {"message": "No such container: c"}
        return 200, {"State": state}

    return answer


RUNNING = {"Running": True}


@pytest.mark.parametrize("code", [0, 1, 126, 255])
def test_the_exit_code_passes_through(code: int) -> None:
    answer = ending((200, {"Running": False, "ExitCode": code}), RUNNING)
    with answering(answer) as engine:
        assert wait_for_code(engine, "c", "e") == code


def test_a_killed_command_in_a_living_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "_ENDING_SECONDS", 0.05)
    with answering(ending((200, {"Running": False, "ExitCode": 137}), RUNNING)) as engine:
        assert wait_for_code(engine, "c", "e") == 137


@pytest.mark.parametrize(
    ("exec_answer", "state", "words"),
    [
        ((200, {"Running": False, "ExitCode": 137}), {"Running": False}, "stopped while"),
        ((200, {"Running": True}), {"Running": False, "OOMKilled": True}, "out of memory"),
        ((404, {"message": "No such exec instance: e"}), None, "removed while"),
    ],
)
def test_the_container_went_away(
    exec_answer: tuple[int, Any], state: dict[str, Any] | None, words: str
) -> None:
    with (
        answering(ending(exec_answer, state)) as engine,
        pytest.raises(failures.ContainerGone, match=words),
    ):
        wait_for_code(engine, "c", "e")


def test_an_engine_that_never_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "_CODE_SECONDS", 0.05)
    with (
        answering(ending((200, {"Running": True}), RUNNING)) as engine,
        pytest.raises(Exception, match="does not say"),
    ):
        wait_for_code(engine, "c", "e")


OTHER = """
import sys
from sandboxd.life.lock import project_lock
with project_lock("/w", lambda _words: sys.exit(7)):
    pass
"""
"""Another process that wants the lock; it ends with 7 where it would have to wait."""


def other_has_to_wait() -> bool:
    return subprocess.run([sys.executable, "-c", OTHER], check=False).returncode == 7


def test_lock_is_exclusive_and_private(tmp_path: Any) -> None:
    from sandboxd.life.lock import project_lock

    words: list[str] = []
    with project_lock("/w", words.append):
        assert other_has_to_wait()
        with project_lock("/other", words.append):
            pass
    assert not other_has_to_wait()
    with project_lock("/w", words.append):
        pass
    assert words == []


def test_lock_folder_that_others_can_write_is_refused() -> None:
    from sandboxd.errors import EnvironmentFailure
    from sandboxd.folders import state_folder
    from sandboxd.life.lock import project_lock

    folder = f"{state_folder(os.environ)}/locks"
    os.makedirs(folder)
    os.chmod(folder, 0o777)
    with pytest.raises(EnvironmentFailure, match="written by others"), project_lock("/w", print):
        pass


def test_an_answer_without_end_does_not_fill_our_memory() -> None:
    import contextlib
    import threading

    ours, theirs = socket.socketpair()

    class Flooded:
        def exec_create(self, *_: object) -> str:
            return "id"

        def exec_start(self, *_: object) -> tuple[socket.socket, bytes]:
            return ours, b""

    def flood() -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs.sendall(frame(1, b"x" * 65536))

    writer = threading.Thread(target=flood, daemon=True)
    writer.start()
    with theirs, pytest.raises(execute.TooMuch, match="`cat` wrote more than"):
        execute.run_quietly(Flooded(), "c", Exec(["cat"]))  # type: ignore[arg-type]
    writer.join(PATIENCE)
    assert not writer.is_alive()


class Written:
    """An engine whose command has written this and ended."""

    def __init__(self, data: bytes) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(data)

    def exec_create(self, *_: object) -> str:
        return "id"

    def exec_start(self, *_: object) -> tuple[socket.socket, bytes]:
        return self._ours, b""

    def exec_exit_code(self, *_: object) -> int:
        return 0


@pytest.mark.parametrize(("stdout_only", "kept"), [(False, b"out, err"), (True, b"out")])
def test_what_a_command_complains_about_may_be_left_out(stdout_only: bool, kept: bytes) -> None:
    engine: Any = Written(frame(1, b"out") + frame(2, b", err"))
    assert execute.run_quietly(engine, "c", Exec(["x"]), stdout_only=stdout_only) == (0, kept)
