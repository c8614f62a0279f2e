"""The suite of backends over a real engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.backends import selection
from tests.backend_suite import BackendSuite, World
from tests.e2e import sandboxes

pytestmark = pytest.mark.engine


class TestOnDocker(BackendSuite):
    @pytest.fixture
    def world(self, engine: str, running: Path, tmp_path: Path) -> World:
        def print_lines(text: str) -> None:
            words = ("exec", "-n", "--", "sh", "-c", 'printf %s "$1" >/proc/1/fd/1', "sh", text)
            done = sandboxes.run(engine, running, *words)
            assert done.returncode == 0, done.stderr

        environ = {**os.environ, "DOCKER_HOST": engine}
        backend = selection.connect("", environ)
        return World(backend, str(running), tmp_path, environ, print_lines)
