"""The suite of backends over the one in memory, which holds what other tests build on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.backends.backend import Running
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.observe.drift import Drift
from sandboxd.operations import copying, drift
from sandboxd.plan import mounts
from tests.backend_suite import BackendSuite, World
from tests.memory_backend import MemoryBackend


class TestInMemory(BackendSuite):
    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> World:
        for name in ("inside", "project", "files"):
            (tmp_path / name).mkdir()
        monkeypatch.setattr(mounts, "target_folder", lambda _: str(tmp_path / "inside"))
        project = str(tmp_path / "project")
        (tmp_path / "project/sandboxd.toml").touch()
        backend = MemoryBackend()
        backend.sandboxes[os.path.realpath(project)] = "first"

        def print_lines(text: str) -> None:
            backend.written += text.encode().splitlines(keepends=True)

        return World(backend, project, tmp_path / "files", dict(os.environ), print_lines)

    def test_what_became_of_it_is_recorded(self, world: World) -> None:
        assert isinstance(world.backend, MemoryBackend)
        world.backend.differences.append(Drift("user", "1000", "0"))
        self.test_a_sandbox_is_compared_and_differences_are_recorded(world)
        assert drift.drift(world.backend, world.project, world.environ).differences

    def test_an_end_in_between_is_the_reason(self, world: World) -> None:
        assert isinstance(world.backend, MemoryBackend)
        file = world.folder / "file"
        file.write_text("text")
        located = world.backend.locate

        def end_behind(project: str, name: str) -> Running:
            running = located(project, name)
            world.backend.sandboxes.clear()  # type: ignore[attr-defined]
            return running

        world.backend.locate = end_behind  # type: ignore[method-assign]
        with pytest.raises(EnvironmentFailure, match=r"^the sandbox ended$"):
            copying.copy_in(world.backend, world.project, str(file), ".")

    def test_a_file_that_is_not_there_here_is_said(self, world: World) -> None:
        with pytest.raises(UsageError):
            copying.copy_in(world.backend, world.project, str(world.folder / "none"), ".")
