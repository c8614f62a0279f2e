"""A user with a daemon, shared by the tests of a module: to start one takes a second."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World


@pytest.fixture(scope="module")
def daemon_world(homes: Path) -> Iterator[World]:
    """A user of one's own whose daemon runs."""
    home = Path(tempfile.mkdtemp(dir=homes))
    (home / "run").mkdir(mode=0o700)
    world = World(home)
    try:
        world.start()
        yield world
    finally:
        world.end()


@pytest.fixture(scope="module")
def with_daemon(daemon_world: World) -> dict[str, str]:
    """The environment of that user."""
    return daemon_world.environ
