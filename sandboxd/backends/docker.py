"""Sandboxes as containers of an engine with Docker's API."""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.backend import Ability, LogRange, Refusal, Running
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.engine.payload import programs
from sandboxd.folders import cache_folder
from sandboxd.forward.trunk import Trunk, open_trunk
from sandboxd.life import find, services
from sandboxd.life.service_address import address_of
from sandboxd.model.labels import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager


class DockerBackend(NamedTuple):
    """The backend of this machine's engine."""

    engine: Engine
    environ: Mapping[str, str]
    cannot: Mapping[Ability, Refusal] = MappingProxyType({})

    def locate(self, project: str, name: str) -> Running:
        container = find.locate(self.engine, project, name)
        return Running(container.id, container.labels[PROJECT])

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        return programs.run(self.engine, running.id, Exec(command), data, seconds, write)

    def read(self, running: Running, command: Sequence[str]) -> str:
        _, output = run_quietly(self.engine, running.id, Exec(list(command)))
        return output.decode("utf-8", "replace")

    def logs(
        self,
        project: str,
        name: str,
        service: str,
        wanted: LogRange,
        write: Callable[[int, bytes], None],
    ) -> None:
        container = find.any_container(self.engine, project, name)
        shown = services.container_of(self.engine, container, service) if service else container.id
        for stream, piece in self.engine.logs(shown, *wanted):
            write(stream, piece)

    def blaming_end(self, running: Running) -> AbstractContextManager[None]:  # noqa: ARG002
        # The engine itself says that a container ended.
        return contextlib.nullcontext()

    def open_trunk(self, running: Running) -> Trunk:
        return open_trunk(self.engine, running.id, cache_folder(self.environ))

    def service_address(self, running: Running, service: str) -> str:
        return address_of(self.engine, running.sandbox, service)
