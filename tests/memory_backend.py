"""A backend without an engine: its sandboxes are kept in memory, and their commands run on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandboxd.backends.backend import (
    Ability,
    Attack,
    Collected,
    CommandRequest,
    Comparison,
    Ended,
    Listed,
    Listing,
    LogRange,
    Refusal,
    Running,
)
from sandboxd.backends.shell import SHELL
from sandboxd.engine.interruption import Cancel, Progress
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.forward.trunk import Trunk
from sandboxd.model.sandbox_id import sandbox_id, workspace_of
from sandboxd.observe.drift import Drift
from sandboxd.plan.mounts import folder_inside
from sandboxd.plan.plan import Plan
from sandboxd.verify.verdict import Result, Verdict


class MemoryBackend:
    """`sandboxes` has the id of each sandbox that runs, by its identity."""

    def __init__(self) -> None:
        self.cannot: Mapping[Ability, Refusal] = {
            Ability.REACH_SERVICES: Refusal("forward ports of the sandbox", "is not in memory"),
            Ability.SHOW_CONTROLS: Refusal("there are none"),
            Ability.SHOW_SERVICES: Refusal("there are none"),
        }
        self.place: Mapping[str, str] = {"cluster": "memory"}
        self.sandboxes: dict[str, str] = {}
        self.written: list[bytes] = []
        """Lines that the main process of each wrote."""
        self.differences: list[Drift] = []
        """What became of each."""

    def list_sandboxes(self) -> Listing:
        listed = [Listed({"name": each}, {"name": each}) for each in self.sandboxes.values()]
        return Listing(tuple(listed), {})

    def locate(self, project: str, name: str) -> Running:
        sandbox = sandbox_id(os.path.realpath(project), name)
        if sandbox not in self.sandboxes:
            raise EnvironmentFailure(f"no sandbox of `{project}` runs", "`sandboxd up` starts it")
        return Running(self.sandboxes[sandbox], sandbox)

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        self._require(running)
        try:
            done = subprocess.run(
                command, input=data, capture_output=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        for stream, output in ((1, done.stdout), (2, done.stderr)):
            if output:
                write(stream, output)
        return done.returncode

    def read(self, running: Running, command: Sequence[str]) -> str:
        pieces: list[bytes] = []
        self.run(running, list(command), b"", 60, lambda _stream, piece: pieces.append(piece))
        return b"".join(pieces).decode("utf-8", "replace")

    def logs(
        self,
        project: str,
        name: str,
        service: str,
        wanted: LogRange,
        write: Callable[[int, bytes], None],
    ) -> None:
        assert not service, "`cannot` says so"
        self.locate(project, name)
        for line in self.written if wanted.tail == "all" else self.written[-int(wanted.tail) :]:
            write(1, line)

    def begin(
        self,
        project: str,
        name: str,
        request: CommandRequest,
        warn: Callable[[str], None] | None = None,
        follow: Callable[[str], str] = lambda _: "",
    ) -> MemoryCommand:
        workspace = workspace_of(self.locate(project, name).sandbox)
        folder = request.working_dir or folder_inside(request.directory, workspace)
        return MemoryCommand(request, folder)

    def end(
        self,
        project: str,
        name: str,
        *,
        discard: bool,
        tell: Callable[[str], None],
        cancel: Cancel,
    ) -> Ended:
        sandbox = sandbox_id(os.path.realpath(project), name)
        removed = self.sandboxes.pop(sandbox, None)
        return Ended(sandbox, (removed,) if removed is not None else ())

    def collect(
        self, project: str, name: str, *, tell: Callable[[str], None], cancel: Cancel
    ) -> Collected:
        self.locate(project, name)
        return Collected("", None)

    def attack(
        self,
        project: str,
        name: str,
        plan: Callable[[], Plan],
        progress: Progress,
        cancel: Cancel,
    ) -> Attack:
        running = self.locate(project, name)
        tried = Result("nothing", "try nothing", "held", "", "")
        return Attack(running.sandbox, Verdict(running.id, "", "host", "", (tried,)), 0)

    def compare(
        self, project: str, name: str, plan: Callable[[str], Plan], cancel: Cancel
    ) -> Comparison:
        running = self.locate(project, name)
        return Comparison(running.sandbox, running.id, tuple(self.differences), ())

    @contextlib.contextmanager
    def blaming_end(self, running: Running) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._require(running)
            raise

    def open_trunk(self, running: Running) -> Trunk:
        raise EnvironmentFailure(f"no relay runs in `{running.sandbox}`", "it is in memory alone")

    def service_address(self, running: Running, service: str) -> str:
        raise NotImplementedError("`cannot` says so")

    def _require(self, running: Running) -> None:
        if self.sandboxes.get(running.sandbox) != running.id:
            raise EnvironmentFailure("the sandbox ended", "`sandboxd up` starts it")


class MemoryCommand:
    """A command of this machine, whose caller reads and writes pieces with a head of eight bytes."""

    first = b""

    def __init__(self, request: CommandRequest, folder: str) -> None:
        assert not request.tty, "there is no terminal in memory"
        self.connection, self._ours = socket.socketpair()
        environ = {**os.environ, **dict(each.split("=", 1) for each in request.env)}
        self._process = subprocess.Popen(
            request.words or SHELL,
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE if request.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._attend, daemon=True).start()

    def resize(self, rows: int, columns: int) -> None:
        raise NotImplementedError("there is no terminal in memory")

    def kill(self, number: int) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        self.connection.close()

    def exit_code(self) -> int:
        return self._process.wait()

    def halt_error(self) -> SandboxdError | None:
        return None

    def _attend(self) -> None:
        """Pass the whole input, then the whole output."""
        text = b""
        while self._process.stdin is not None and (piece := self._ours.recv(65536)):
            text += piece
        output, _ = self._process.communicate(text or None)
        with contextlib.suppress(OSError):
            if output:
                self._ours.sendall(b"\1\0\0\0" + len(output).to_bytes(4, "big") + output)
            self._ours.close()
