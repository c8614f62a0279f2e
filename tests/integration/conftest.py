"""What tests of whole processes share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.integration.stub_cluster import StubCluster


@pytest.fixture
def world(own_home: Path) -> Iterator[World]:
    """A user of one's own, for each test."""
    user = World(own_home)
    try:
        yield user
    finally:
        user.end()


@pytest.fixture
def stub() -> Iterator[StubCluster]:
    """An API server that knows nothing."""
    cluster = StubCluster()
    yield cluster
    cluster.close()
