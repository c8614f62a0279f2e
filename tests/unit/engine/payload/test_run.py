"""A program gets all of its input, and what it writes is handed on while it runs."""

from __future__ import annotations

import socket
import threading
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.payload import programs
from tests.patience import PATIENCE

DATA = b"x" * (1 << 20)


class Program:
    """An engine that runs one: it reads all of its input, then says how much that was."""

    def __init__(self, is_local: bool) -> None:
        self.is_local = is_local
        self.request: Any = None

    def exec_create(self, _container: str, request: Exec) -> str:
        self.request = request
        return "e"

    def exec_start(self, _exec: str, *, tty: bool) -> tuple[socket.socket, bytes]:
        assert not tty
        ours, theirs = socket.socketpair()
        theirs.settimeout(PATIENCE)
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return ours, b""

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            count = 0
            while piece := connection.recv(65536):
                count += len(piece)
                if not self.is_local and count == len(DATA):
                    break
            words = str(count).encode()
            connection.sendall(b"\x01\0\0\0" + len(words).to_bytes(4, "big") + words)


@pytest.mark.parametrize("is_local", [True, False])
def test_all_of_the_input_is_sent(is_local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.execute, "wait_for_code", lambda *_: 5)
    program, output = Program(is_local), list[tuple[int, bytes]]()
    code = programs.run(
        cast("Engine", program),
        "c",
        Exec(["python3", "-"]),
        DATA,
        PATIENCE,
        lambda stream, data: output.append((stream, data)),
    )
    assert code == 5
    assert output == [(1, str(len(DATA)).encode())]
    assert program.request.stdin and program.request.working_dir == "/"
    # Over TLS the input cannot be ended before the output: it is counted inside.
    counted = ["sh", "-c", 'size=$1; shift; head -c "$size" | "$@"', "sh", str(len(DATA))]
    assert program.request.command == ([] if is_local else counted) + ["python3", "-"]


def test_a_program_that_does_not_read_keeps_no_process_of_ours_alive() -> None:
    """What is still to be sent is given up with the process."""
    before = set(threading.enumerate())
    ours, theirs = socket.socketpair()
    engine = Program(True)
    engine.exec_start = lambda *_, **__: (ours, b"")  # type: ignore[method-assign]
    with theirs:
        with pytest.raises(TimeoutError):
            programs.run(
                cast("Engine", engine), "c", Exec(["python3", "-"]), DATA, 0.05, lambda *_: None
            )
        left = [each for each in set(threading.enumerate()) - before if not each.daemon]
    assert left == []
