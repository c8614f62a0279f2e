"""The suite of backends over a real engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends import selection
from tests.backend_suite import BackendSuite, World
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


class TestOnDocker(BackendSuite):
    @pytest.fixture
    def world(self, engine: str, project: Path, tmp_path: Path) -> Iterator[World]:
        done = sandboxes.run(engine, project, "up")
        assert done.returncode == 0, done.stderr
        (tmp_path / "files").mkdir()

        def print_lines(text: str) -> None:
            words = ("exec", "-n", "--", "sh", "-c", 'printf %s "$1" >/proc/1/fd/1', "sh", text)
            done = sandboxes.run(engine, project, *words)
            assert done.returncode == 0, done.stderr

        environ = {**os.environ, "DOCKER_HOST": engine}
        yield World(
            selection.connect("", environ),
            str(project),
            tmp_path / "files",
            environ,
            print_lines,
        )
        assert sandboxes.run(engine, project, "down").returncode == 0
