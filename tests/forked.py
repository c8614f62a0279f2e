"""`sandboxd` as a process of its own that needs no start: forked from one that has imported everything.

To import what a command uses takes most of its processor time, a tenth to a third of a second, and tests run
thousands of commands. What is tested here is the command; that it starts, how fast and with which imports,
is tested by real starts (`World.popen`, the contract tests of the fast paths, the wheel).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fork_server import SIZE

ROOT = Path(__file__).resolve().parents[1]
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")
"""Beginnings of variables that the interpreter reads when it starts."""


class Forked:
    """A command that has begun."""

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: str | os.PathLike[str],
        env: Mapping[str, str],
        input: str,
    ) -> None:
        self._arguments = [*arguments]
        sys.audit("sandboxd.tests.forked", self._arguments)
        self._outputs = [_Output(), _Output()]
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(_server(_interpreter(env)))
        stdin = _feed(input)
        request = {"arguments": self._arguments, "cwd": os.fspath(cwd), "environ": dict(env)}
        data = json.dumps(request).encode()
        descriptors = [stdin, *(output.write_end for output in self._outputs)]
        socket.send_fds(self._connection, [len(data).to_bytes(SIZE, "big")], descriptors)
        self._connection.sendall(data)
        os.close(stdin)
        for output in self._outputs:
            output.begin()
        self._stream = self._connection.makefile("rb")
        self.pid = int.from_bytes(self._stream.read(SIZE), "big")
        assert self.pid, "the server ended"

    def kill(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> subprocess.CompletedProcess[str]:
        """Its exit code, negative for the signal that ended it, and its output.

        :raises subprocess.TimeoutExpired: it was killed after `timeout` seconds
        """
        with self._connection, self._stream:
            self._connection.settimeout(timeout)
            try:
                code = int.from_bytes(self._stream.read(SIZE), "big", signed=True)
            except TimeoutError:
                self.kill(signal.SIGKILL)
                raise subprocess.TimeoutExpired(self._arguments, timeout) from None
        texts = (output.text() for output in self._outputs)
        return subprocess.CompletedProcess(self._arguments, code, *texts)


def run_forked(
    arguments: Sequence[str],
    *,
    cwd: str | os.PathLike[str],
    env: Mapping[str, str],
    timeout: float,
    input: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of `python -P -m sandboxd` with captured output and, without `input`, no stdin.

    :raises subprocess.TimeoutExpired: it was killed after `timeout` seconds
    """
    if not hasattr(os, "pidfd_open"):
        return _start(arguments, cwd, env, timeout, input)
    return Forked(arguments, cwd, env, input or "").wait(timeout)


class _Output:
    """What a process writes to a pipe, read by a thread."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._data = b""
        self._thread = threading.Thread(target=self._read, daemon=True)

    def begin(self) -> None:
        os.close(self.write_end)
        self._thread.start()

    def text(self) -> str:
        """All of it, once every holder of the pipe has ended."""
        self._thread.join()
        return self._data.decode().replace("\r\n", "\n").replace("\r", "\n")

    def _read(self) -> None:
        with open(self._read_end, "rb") as stream:
            self._data = stream.read()


def _feed(text: str) -> int:
    """The end to read of a pipe that holds `text`."""
    read_end, write_end = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), open(write_end, "wb") as stream:
            stream.write(text.encode())

    threading.Thread(target=write, daemon=True).start()
    return read_end


def _start(
    arguments: Sequence[str],
    cwd: str | os.PathLike[str],
    env: Mapping[str, str],
    timeout: float,
    input: str | None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "sandboxd", *arguments],
        cwd=cwd,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        check=False,
    )


def _interpreter(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What an interpreter with that environment is like."""
    pairs = sorted(environ.items())
    return tuple(pair for pair in pairs if pair[0].startswith(_OF_THE_INTERPRETER))


@functools.cache
def _server(interpreter: tuple[tuple[str, str], ...]) -> str:
    """The address of the server for such interpreters, which ends with this process."""
    listener = socket.socket(socket.AF_UNIX)
    # A name without a file: nothing is left behind, and it is longer than no limit. Random: of two runs in
    # containers that share their network, each may have a process of this number.
    path = os.pathsep.join([str(ROOT), *filter(None, [dict(interpreter).get("PYTHONPATH")])])
    address = f"\0sandboxd-tests-{secrets.token_hex(16)}"
    listener.bind(address)
    listener.listen(64)
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.fork_server", str(listener.fileno())],
        pass_fds=[listener.fileno()],
        # Pipes, as its children have: a stream remembers whether it can be sought in.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        # In no test's home: what lives in one at its end is a leak.
        env={"PATH": os.environ["PATH"], "HOME": "/", **dict(interpreter), "PYTHONPATH": path},
    )
    listener.close()

    # Its stdin ends, and so does it.
    atexit.register(server.communicate)
    return address
