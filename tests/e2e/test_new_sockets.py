"""A program on the host begins to listen in the workspace while the sandbox runs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.watched import make_repository, watch
from tests.integration.daemon.world import World

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    """A repository whose sandbox runs and is watched by a daemon."""
    (project / "scripts").mkdir()
    yield from watch(world, make_repository(world, project))


def test_a_socket_that_comes_later_is_named_by_status_where_it_can_be_reached(
    world: World, watched: Path, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def status() -> str:
        return world.run("status", cwd=watched).stdout

    assert "workspace sockets" not in status()
    listener = socket.socket(socket.AF_UNIX)
    with listener, monkeypatch.context() as patched:
        # The path of a socket is short.
        patched.chdir(watched)
        listener.bind("scripts/.s.PGSQL")
        listener.listen()
        assert ("`scripts/.s.PGSQL`: a program" in status()) == (runtime == "runc")
    (watched / "scripts/.s.PGSQL").unlink()
    assert "workspace sockets" not in status()
