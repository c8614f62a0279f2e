"""One user for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World


@pytest.fixture
def world(own_home: Path) -> Iterator[World]:
    found = World(own_home)
    try:
        yield found
    finally:
        found.end()
