"""What `up` says that a start took: by the command itself and by the daemon, made anew and already there."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.ipc import client
from tests.e2e import sandboxes
from tests.patience import PATIENCE

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["alone", "by the daemon"])
def watched(
    request: pytest.FixtureRequest, engine: str, project: Path, own_home: Path
) -> Iterator[Path]:
    if request.param == "alone":
        yield project
    else:
        environ = {**os.environ, "DOCKER_HOST": engine, "PYTHONPATH": str(ROOT)}
        connection = client.connect(environ, str(own_home), start=True, patience=PATIENCE)
        assert connection is not None
        with connection:
            yield project
    assert sandboxes.run(engine, project, "down").returncode == 0


def start(engine: str, project: Path) -> tuple[dict[str, Any], str]:
    done = sandboxes.run(engine, project, "up", "--json", "--timing")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_what_a_start_took_adds_up(engine: str, watched: Path) -> None:
    for how, gateway_step in (("created", "wait for it"), ("already running", "have it run")):
        answer, screen = start(engine, watched)
        timing = answer["timing"]
        assert answer["how"] == how
        assert timing["parts"].keys() >= {"gateway", "engine", "ours", "command"}
        assert ("runtime" in timing["parts"]) == (how == "created")
        # Each figure is rounded to a tenth.
        whole = timing["milliseconds"]
        assert abs(sum(timing["parts"].values()) - whole) <= 0.05 * (len(timing["parts"]) + 1)
        own = [each for each in timing["spans"] if not each["is_beside"] and not each["depth"]]
        for before, after in itertools.pairwise(own):
            assert before["ended"] <= after["began"], "what the start did itself never overlaps"
        assert all(0 <= each["began"] <= each["ended"] <= whole for each in timing["spans"])
        assert gateway_step in [each["name"] for each in own if each["part"] == "gateway"]
        shown = re.search(r"^(\d+) ms: ", screen, re.MULTILINE)
        assert shown is not None and abs(int(shown[1]) - whole) <= 0.6
        assert "gateway: have it run" in screen


def waiting_and_runtime(engine: str, project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The wait for the gateway and the start of the workspace, of a sandbox that is made anew."""
    sandboxes.run(engine, project, "down")
    answer, _ = start(engine, project)
    spans = answer["timing"]["spans"]
    beside = [each for each in spans if each["is_beside"]]
    assert {"until it is safe", "policy"} <= {each["name"] for each in beside}
    own = [each for each in spans if not each["is_beside"]]
    waiting = next(each for each in own if each["name"] == "wait for it")
    return waiting, next(each for each in own if each["part"] == "runtime")


def test_the_gateway_starts_beside_the_workspace_but_for_the_first_time(
    engine: str, watched: Path
) -> None:
    first, again = waiting_and_runtime(engine, watched), waiting_and_runtime(engine, watched)
    waiting, runtime = first
    assert waiting["ended"] <= runtime["began"], "before its engine was seen to keep its host off"
    waiting, runtime = again
    assert runtime["ended"] <= waiting["began"], "how long each takes is the machine's"
