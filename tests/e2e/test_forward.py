"""Ports of a real sandbox on this machine: with and without a network, and a Python, in the image."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE, eventually
from tests.ports import pick_port

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

ROOT = Path(__file__).resolve().parents[2]
# Each connection gets its input back; on localhost alone.
SERVE_PYTHON = """
import socket, threading
def serve(connection):
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()
listener = socket.create_server(("127.0.0.1", 7000), backlog=128)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


GET = b"GET /data HTTP/1.0\r\n\r\n"


def exchange(port: int, data: bytes, address: str = "127.0.0.1") -> bytes:
    """What comes back for `data` and its end."""
    with socket.create_connection((address, port), PATIENCE) as connection:
        connection.settimeout(PATIENCE)

        def send() -> None:
            with contextlib.suppress(OSError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)

        threading.Thread(target=send, daemon=True).start()
        pieces = []
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)


class Forwarding:
    """`sandboxd forward` that runs, and the lines that it said."""

    def __init__(self, engine: str, folder: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            sandboxes.command(engine, folder, "forward", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(iter(self.process.stderr.readline, ""))

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def waits_for(self, words: str) -> None:
        eventually(lambda: any(words in line for line in self.errors), lambda: self.errors)

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.errors


@contextlib.contextmanager
def forwarding(engine: str, folder: Path, *words: str) -> Iterator[Forwarding]:
    forward = Forwarding(engine, folder, *words)
    try:
        yield forward
    finally:
        if forward.process.poll() is None:
            forward.process.kill()
            forward.process.wait()


def serve(engine: str, folder: Path, *command: str) -> None:
    """Have a server run inside, and wait until it listens."""
    words = ["exec", "-n", "sh", "-c", '"$@" >/dev/null 2>&1 &', "sh", *command]
    assert sandboxes.run(engine, folder, *words).returncode == 0
    eventually(lambda: sandboxes.run(engine, folder, "forward").stdout.startswith("7000 "))


@pytest.fixture(params=["open", "none"])
def up(request: pytest.FixtureRequest, engine: str, api: Engine, project: Path) -> Iterator[Path]:
    """A running sandbox of an image without Python, with a network and without."""
    with (project / "sandboxd.toml").open("a") as file:
        file.write(f'\n[network]\nmode = "{request.param}"\n')
    sandboxes.grant(project)
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    yield project
    assert sandboxes.run(engine, project, "down").returncode == 0
    assert api.containers(f"{PROJECT}={project}") == []


def relays(engine: str, folder: Path) -> str:
    script = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done; ls /tmp"
    output = str(sandboxes.run(engine, folder, "exec", "-n", "sh", "-c", script).stdout)
    return "\n".join(line for line in output.splitlines() if "sandboxd-python" in line)


def test_bytes_go_both_ways_and_nothing_is_left(engine: str, up: Path) -> None:
    data = os.urandom(3_000_000)
    (up / "data").write_bytes(data)
    serve(engine, up, "httpd", "-f", "-p", "127.0.0.1:7000", "-h", f"/workspaces/{up.name}")
    local = pick_port()
    with forwarding(engine, up, f"7000:{local}") as forward:
        assert forward.line() == f"http://127.0.0.1:{local} -> port 7000 inside\n"
        answers: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: answers.append(exchange(local, GET))) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert [answer.partition(b"\r\n\r\n")[2] == data for answer in answers] == [True] * 10
        assert "sandboxd-python" in relays(engine, up)
        forward.end()
    eventually(lambda: not relays(engine, up), lambda: relays(engine, up))


def test_forward_ends_with_the_program_that_holds_its_input(engine: str, with_python: Path) -> None:
    local = pick_port()
    with forwarding(engine, with_python, "--until-eof", f"7000:{local}") as forward:
        assert forward.line() == f"http://127.0.0.1:{local} -> port 7000 inside\n"
        assert forward.process.stdin is not None
        # What comes by it is no end.
        forward.process.stdin.write("anything\n")
        forward.process.stdin.flush()
        forward.waits_for("nothing listens on port 7000 inside yet")
        assert forward.process.poll() is None
        forward.process.stdin.close()
        assert forward.process.wait(PATIENCE) == 0, forward.errors


@pytest.fixture
def with_python(
    engine: str, api: Engine, tmp_path: Path, rich: Rich, runtime: str
) -> Iterator[Path]:
    folder = sandboxes.make_project(tmp_path / "ws", rich.image, runtime)
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 0, done.stderr
    yield folder
    assert sandboxes.run(engine, folder, "down").returncode == 0
    assert api.containers(f"{PROJECT}={folder}") == []


def test_forward_outlives_the_sandbox_and_a_slow_connection_stops_no_other(
    engine: str, api: Engine, with_python: Path
) -> None:
    folder, local = with_python, pick_port()
    serve(engine, folder, "python3", "-c", SERVE_PYTHON)
    with forwarding(engine, folder, f"7000:{local}", f"7001:{pick_port()}") as forward:
        lines = [forward.line(), forward.line()]
        with socket.create_connection(("127.0.0.1", local), PATIENCE) as slow:
            # Nobody reads what comes back here: its window is full, and the others go on.
            slow.settimeout(1)
            with contextlib.suppress(TimeoutError):
                for _ in range(100):
                    slow.sendall(b"x" * 100_000)
            assert exchange(local, b"quick") == b"quick"
        other = int(lines[1].split()[0].rpartition(":")[2])
        assert exchange(other, b"x") == b""
        forward.waits_for("port 7001 inside: nothing listens there")
        api.stop(api.containers(f"{PROJECT}={folder}")[0].id, 1)
        forward.waits_for("ended; connections wait until it is back")
        assert sandboxes.run(engine, folder, "up").returncode == 0
        serve(engine, folder, "python3", "-c", SERVE_PYTHON)
        forward.waits_for("its ports are forwarded again")
        assert exchange(local, b"again") == b"again"
        forward.end()


def test_a_port_that_is_taken_names_who_has_it(engine: str, with_python: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        local = listener.getsockname()[1]
        done = sandboxes.run(engine, with_python, "forward", f"7000:{local}")
        assert done.returncode == 4
        assert f"port `{local}` of this machine is taken by `" in done.stderr
        assert f"(process {os.getpid()})" in done.stderr
        assert f"hint: choose another one: `sandboxd forward 7000:{local + 1}`" in done.stderr


def test_only_this_machine_reaches_it_unless_asked(
    engine: str, with_python: Path, own_home: Path
) -> None:
    serve(engine, with_python, "python3", "-c", SERVE_PYTHON)
    local = pick_port()
    with forwarding(engine, with_python, f"7000:{local}") as forward:
        forward.line()
        assert exchange(local, b"x") == b"x"
        with pytest.raises(ConnectionRefusedError):
            exchange(local, b"x", "127.0.0.2")
        forward.end()
    with forwarding(engine, with_python, f"7000:{local}", "--address", "0.0.0.0") as forward:
        assert forward.line() == f"http://0.0.0.0:{local} -> port 7000 inside\n"
        assert exchange(local, b"x", "127.0.0.2") == b"x"
        forward.end()
    policy = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text("trust = false\n")
    done = sandboxes.run(engine, with_python, "forward", "7000", "--address", "0.0.0.0")
    policy.unlink()
    assert done.returncode == 2
    assert "forbids to grant anything" in done.stderr


def test_without_a_sandbox_there_is_nothing_to_forward(engine: str, project: Path) -> None:
    for words in ((), ("3000",)):
        done: Any = sandboxes.run(engine, project, "forward", *words)
        assert done.returncode == 4
        assert "hint: start it: `sandboxd up`" in done.stderr


LIE = """
import glob, os, struct
for path in glob.glob("/proc/[0-9]*/cmdline"):
    if b"exec(text)" in open(path, "rb").read() and int(path.split("/")[2]) != os.getpid():
        stream = os.open(f"/proc/{path.split('/')[2]}/fd/1", os.O_WRONLY)
        os.write(stream, struct.pack(">BII", 6, 1, 1) + b"x")
"""


def test_a_program_inside_that_writes_into_the_relay_does_not_end_it(
    engine: str, with_python: Path
) -> None:
    folder, local = with_python, pick_port()
    serve(engine, folder, "python3", "-c", SERVE_PYTHON)
    with forwarding(engine, folder, f"7000:{local}") as forward:
        forward.line()
        assert exchange(local, b"before") == b"before"
        done = sandboxes.run(engine, folder, "exec", "-n", "python3", "-c", LIE)
        assert done.returncode == 0, done.stderr
        forward.waits_for("breaks its protocol: it sent a frame of a wrong size")
        forward.waits_for("its ports are forwarded again")
        assert exchange(local, b"after") == b"after"
        forward.end()
