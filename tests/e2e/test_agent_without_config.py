"""An agent in a folder without any config: nothing is put there, and `status` names the agent."""

from __future__ import annotations

import re

import pytest

from tests.e2e import sandboxes
from tests.e2e.agent_fixtures import *  # noqa: F403 - pytest finds them by their names
from tests.e2e.agent_world import Person, script_agent
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def test_an_agent_needs_no_config_and_leaves_none(person: Person, image: str) -> None:
    (person.project / "sandboxd.toml").unlink()
    person.write_agent("scribe", script_agent("echo by an agent >> weather.sh"))
    person.world.start()
    before = sandboxes.tree(person.project)
    done = person.agent("scribe", "--image", image, "--print", "write")
    assert done.returncode == 0 and "M weather.sh  +1 -0" in done.stderr, done.stderr
    # One file, no commit, nothing denied, no question: what waits is counted.
    assert re.search(r"^scribe +scribe +ended +.* 1 +0 +0 +0$", person.must("agent"), re.M)
    # The daemon hears of it by the engine's events.
    eventually(lambda: "scribe running" in person.must("status"))
    person.must("daemon", "stop")
    # A single look.
    shown = person.must("status")
    assert "scribe running" in shown and "`sandboxd agent` says what each agent" in shown, shown
    person.must("down", "--name", "scribe", "--discard")
    assert "scribe not created" in person.must("status")
    assert sandboxes.tree(person.project) == before
