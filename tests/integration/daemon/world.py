"""A user of one's own: home, runtime folder and no engine; whatever daemon it has ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from sandboxd.ipc import address, client, messages
from tests.forked import run_forked
from tests.patience import PATIENCE

SANDBOXD = [sys.executable, "-P", "-m", "sandboxd"]


class World:
    """Runs commands as that user."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "TMPDIR": str(home / "tmp"),
            "DOCKER_HOST": f"unix://{home}/no-engine.sock",
            # What is to run by the daemon starts it by `start`, and this object then ends it.
            "SANDBOXD_NO_DAEMON": "1",
        }
        (home / "tmp").mkdir(exist_ok=True)
        self.folder = Path(address.folder(self.environ, os.getuid()))
        self.socket = self.folder / "daemon.sock"
        self._started: set[int] = set()

    def run(
        self, *args: str, cwd: Path | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command and its output."""
        return run_forked(
            args, cwd=cwd or self.home, env=self.environ, timeout=5 * PATIENCE, input=input
        )

    def command(self, *args: str) -> list[str]:
        """The words of a command."""
        return [*SANDBOXD, *args]

    def start(self) -> int:
        """Start the daemon the way commands do; its pid."""
        with self.client() as connection:
            return connection.daemon_pid

    def client(self) -> client.Client:
        connection = client.connect(self.environ, str(self.home), start=True, patience=PATIENCE)
        assert connection is not None
        self._started.add(connection.daemon_pid)
        return connection

    def pid(self) -> int | None:
        """The pid of the daemon that runs now."""
        connection = client.connect(self.environ, str(self.home), start=False)
        if connection is None:
            return None
        with connection:
            self._started.add(connection.daemon_pid)
            return connection.daemon_pid

    def popen(self, *args: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """A command that goes on; ended with the world."""
        return self.spawn([*SANDBOXD, *args], cwd)

    def spawn(self, command: list[str], cwd: Path | None = None) -> subprocess.Popen[str]:
        """The same for any program."""
        process = subprocess.Popen(
            command,
            env=self.environ,
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.add(process.pid)
        return process

    def project(self, name: str = "app", text: str = 'profile = "dev"\nimage = "x"\n') -> Path:
        """A workspace with a sandboxd.toml."""
        folder = self.home / name
        folder.mkdir()
        (folder / "sandboxd.toml").write_text(text)
        return folder

    def register(self, project: Path) -> None:
        """Have the daemon keep a project, and wait until it has looked at it."""
        with self.client() as connection:
            params: messages.ProjectPath = {"path": str(project)}
            connection.request(messages.PROJECT_REGISTER, params, timeout=PATIENCE)

    def status(self) -> Any:
        result = self.run("status", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def log(self) -> str:
        return (self.home / "state" / "sandboxd" / "daemon.log").read_text()

    def end(self) -> None:
        """Kill what was started here, and only that."""
        with contextlib.suppress(Exception):
            self.pid()
        for pid in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def read_until(stream: IO[str] | None, words: str, seconds: float = PATIENCE) -> str:
    """All that a program writes, up to `words` and what came with them; the rest is left to read."""
    assert stream is not None
    data, deadline = b"", time.monotonic() + seconds
    while words.encode() not in data:
        left = max(0.0, deadline - time.monotonic())
        assert select.select([stream], [], [], left)[0], f"`{words}` did not come after {data!r}"
        more = os.read(stream.fileno(), 65536)
        assert more, f"it ended without `{words}`: {data!r}"
        data += more
    return data.decode()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
