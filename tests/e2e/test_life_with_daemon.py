"""The life of a sandbox once more, with a daemon that does it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.ipc import client
from tests.e2e.test_life import *  # noqa: F403
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def daemon(own_home: Path, shared_cache: None, engine: str) -> Iterator[None]:
    """One that runs before the first command; the home's end is its end."""
    environ = {**os.environ, "DOCKER_HOST": engine, "PYTHONPATH": str(Path(__file__).parents[2])}
    connection = client.connect(environ, str(own_home), start=True, patience=PATIENCE)
    assert connection is not None
    with connection:
        yield


def test_the_daemon_does_the_work_of_the_commands(up: Path) -> None:
    log = Path(os.environ["XDG_STATE_HOME"], "sandboxd", "daemon.log").read_text()
    assert f"start of `{up}`" in log
