"""A user of one's own: home, runtime folder and no engine; whatever daemon it has ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from unittest import mock

from sandboxd.ipc import address, client, messages
from tests.forked import run_forked
from tests.patience import PATIENCE, eventually
from tools.engine import processes

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
        self._started: dict[int, str] = {}
        """When each process began: a number alone may be another one's by now."""

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
        with _patient():
            connection = client.connect(self.environ, str(self.home), start=True, patience=PATIENCE)
        assert connection is not None
        self._note(connection.daemon_pid)
        return connection

    def pid(self) -> int | None:
        """The pid of the daemon that runs now."""
        with _patient():
            return self._running()

    def _running(self) -> int | None:
        connection = client.connect(self.environ, str(self.home), start=False)
        if connection is None:
            return None
        with connection:
            self._note(connection.daemon_pid)
            return connection.daemon_pid

    def _note(self, pid: int) -> None:
        self._started[pid] = processes.start_time(pid)

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
        self._note(process.pid)
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

    def settled(self) -> Any:
        """The status once no project is being looked at.

        Of one save several changes may be told, the last ones after what it led to is there.
        """

        def look() -> Any:
            status = self.status()
            return status if not any(row["checking"] for row in status["projects"]) else None

        return eventually(look)

    def screen(self, *options: str, cwd: Path | None = None) -> str:
        """What `status` prints once nothing is being looked at."""

        def look() -> str:
            result = self.run("status", *options, cwd=cwd)
            assert result.returncode == 0, result.stderr
            return "" if "checking" in result.stdout else result.stdout

        return eventually(look)

    def stop_recording(self) -> None:
        """From now on no entry of the record can be written."""
        folder = self.home / "state" / "sandboxd" / "audit"
        folder.parent.mkdir(parents=True, exist_ok=True)

        def is_in_the_way() -> bool:
            shutil.rmtree(folder, ignore_errors=True)
            # A daemon may make it again at any moment.
            with contextlib.suppress(IsADirectoryError):
                folder.write_text("in the way")
            return folder.is_file()

        eventually(is_in_the_way)

    def log(self) -> str:
        return (self.home / "state" / "sandboxd" / "daemon.log").read_text()

    def end(self) -> None:
        """Kill what was started here, and only that; returns when it is gone."""
        with contextlib.suppress(Exception):
            self._running()
        left = {pid: begin for pid, begin in self._started.items() if _is_same(pid, begin)}
        processes.end(left)
        for pid, begin in left.items():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            eventually(lambda p=pid, b=begin: not _is_same(p, b))  # type: ignore[misc]


def _is_same(pid: int, begin: str) -> bool:
    """Whether a process is the one that was noted, and not gone."""
    return processes.start_time(pid) == begin != ""


@contextlib.contextmanager
def _patient() -> Iterator[None]:
    """A daemon on a busy machine may take long to greet."""
    with mock.patch.object(client, "GREETING_SECONDS", PATIENCE):
        yield


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
