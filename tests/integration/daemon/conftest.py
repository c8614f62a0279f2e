"""A project on an engine without containers, with a daemon and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.integration.stub_engine import CONFIG, StubEngine, stub_engine


@pytest.fixture
def engine(world: World) -> Iterator[StubEngine]:
    with stub_engine(world.home) as stub:
        world.environ["DOCKER_HOST"] = stub.host
        yield stub


@pytest.fixture
def project(world: World) -> Path:
    return world.project(text=CONFIG)


@pytest.fixture(params=["alone", "by the daemon"])
def helped(request: pytest.FixtureRequest, world: World, engine: StubEngine) -> bool:
    """Whether a daemon runs."""
    if request.param == "alone":
        return False
    world.start()
    assert world.run("generate", cwd=request.getfixturevalue("project")).returncode == 0
    return True
