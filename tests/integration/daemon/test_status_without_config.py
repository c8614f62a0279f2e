"""`status` in a folder without a config names the agents there, by a daemon and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.agents import session
from sandboxd.errors import EXIT_OK
from tests.integration.daemon.world import World


@pytest.mark.parametrize("has_daemon", [True, False], ids=["daemon", "single look"])
def test_agents_are_named(world: World, tmp_path: Path, has_daemon: bool) -> None:
    folder = (tmp_path / "weather").resolve()
    (folder / "deep").mkdir(parents=True)
    own = session.session(world.environ, str(folder), "claude", "login")
    session.write(world.environ, own, b'profile = "agent"\n')
    if has_daemon:
        world.start()
    for place in (folder, folder / "deep"):
        shown = world.run("status", cwd=place)
        assert shown.returncode == EXIT_OK, shown.stderr
        # No engine is there to say more of it.
        assert "weather  UNKNOWN" in shown.stdout and "login unknown" in shown.stdout, shown.stdout
    assert [path.name for path in folder.iterdir()] == ["deep"]
