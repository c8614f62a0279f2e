"""A command on a terminal of ours: the size that it is given, and a shell that is asked to end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.patience import PATIENCE, eventually

_PROGRAM = """
import json, socket, sys
from sandboxd.cli import attend

class Command:
    first = b""
    def __init__(self):
        self.connection, self.inside = socket.socketpair()
    def note(self, **facts):
        with open(sys.argv[1], "a") as file:
            print(json.dumps(facts), file=file, flush=True)
    def resize(self, rows, columns):
        self.note(rows=rows, columns=columns)
    def kill(self, number):
        self.note(signal=number)
        self.inside.close()
    def exit_code(self):
        return 5
    def halt_error(self):
        return None

sys.exit(attend.run_begun(Command, sys.argv[2], tty=True, stdin=False))
"""


@pytest.mark.parametrize(
    ("program", "size", "given", "number"),
    [("", (0, 0), (24, 80), signal.SIGHUP), ("top", (50, 132), (50, 132), signal.SIGTERM)],
)
def test_size_and_end(
    tmp_path: Path, program: str, size: tuple[int, int], given: tuple[int, int], number: int
) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    notes = tmp_path / "notes"
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(notes), program], stdin=theirs, stdout=theirs
    )
    os.close(theirs)
    eventually(lambda: notes.exists() and notes.read_text().endswith("\n"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 5
    rows = [json.loads(line) for line in notes.read_text().splitlines()]
    assert rows == [{"rows": given[0], "columns": given[1]}, {"signal": number}]
    os.close(ours)
