"""A backend without an engine: its sandboxes are kept in memory, and their commands run on this machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandboxd.backends.backend import Ability, Ended, LogRange, Refusal, Running
from sandboxd.engine.interruption import Cancel
from sandboxd.errors import EnvironmentFailure
from sandboxd.forward.trunk import Trunk
from sandboxd.model.sandbox_id import sandbox_id


class MemoryBackend:
    """`sandboxes` has the id of each sandbox that runs, by its identity."""

    def __init__(self) -> None:
        self.cannot: Mapping[Ability, Refusal] = {
            Ability.REACH_SERVICES: Refusal("forward ports of the sandbox", "is not in memory"),
            Ability.SHOW_SERVICES: Refusal("there are none"),
        }
        self.place: Mapping[str, str] = {"cluster": "memory"}
        self.sandboxes: dict[str, str] = {}
        self.written: list[bytes] = []
        """Lines that the main process of each wrote."""

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
