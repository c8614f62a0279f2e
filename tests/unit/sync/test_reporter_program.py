"""The reporter as it is sent in: one text that a bare Python runs, on pipes."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.payload import programs
from sandboxd.sync import program
from sandboxd.sync.reported import Reported, Signal
from tests.unit.sync.playing import excludes
from tests.unit.sync.test_reported import same, scanned


def test_it_is_python_3_8_and_imports_nothing_of_ours() -> None:
    text = program.text("/workspace")
    ast.parse(text, feature_version=(3, 8))
    modules = {name.partition(".")[0] for name in programs.imported_by([text])}
    assert modules <= sys.stdlib_module_names
    assert "import sandboxd" not in text
    assert "from sandboxd" not in text


class Process:
    """The program in a process of its own, and what reads it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-I", "-S", "-c", program.text(str(folder))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout
        self.reported = Reported(excludes)
        self.signals: set[Signal] = set()

    def exchange(self) -> None:
        """Send what is to be asked, and wait for the next bytes of what it says."""
        self._input.write(self.reported.questions())
        self._input.flush()
        data = os.read(self._output.fileno(), 1 << 16)
        assert data, "it ended"
        self.signals |= self.reported.take(data)

    def rest(self) -> None:
        while not self.reported.is_at_rest:
            self.exchange()

    def end(self) -> int:
        self._input.close()
        self._output.close()
        return self.process.wait()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    for number in range(200):
        (work / f"src/{number}").write_text(str(number))
    process = Process(work)
    yield process
    process.process.kill()
    process.end()


def test_it_says_what_is_there_and_each_change_by_itself(process: Process, tmp_path: Path) -> None:
    work = tmp_path / "work"
    process.rest()
    assert same(process.reported.snapshot(), scanned(work))
    (work / "src/new").write_text("new")
    while Signal.CHANGED not in process.signals:
        process.exchange()
    process.rest()
    # It may be told in parts: the file without its bytes, and then with them.
    while not same(process.reported.snapshot(), scanned(work)):
        process.exchange()
        process.rest()
    assert "src/new" in process.reported.snapshot().entries


def test_it_ends_with_its_input(process: Process) -> None:
    process.rest()
    assert process.end() == 0


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", program.text(str(tmp_path / "missing"))]
    done = subprocess.run(command, input=b"", capture_output=True)
    assert done.returncode == 1
    assert b"No such file" in done.stderr
    assert done.stdout == b""


def test_an_answer_of_many_frames_goes_in_few_pieces(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / str(number)).mkdir()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reported, pieces = Reported(excludes), 0
    command = [sys.executable, "-I", "-S", "-c", program.text(str(tmp_path))]
    with ours, subprocess.Popen(command, stdin=theirs, stdout=theirs) as process:
        theirs.close()
        while not reported.is_at_rest:
            if questions := reported.questions():
                ours.sendall(questions)
            # Of such a socket each piece is what one call wrote.
            reported.take(ours.recv(1 << 20))
            pieces += 1
        ours.shutdown(socket.SHUT_WR)
        assert process.wait() == 0
    assert len(reported.snapshot().entries) == 200
    assert pieces < 350
