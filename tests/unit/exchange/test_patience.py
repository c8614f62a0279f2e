"""A command waits for an exchange that does not end for some seconds only, says so, and no commit is lost."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.engine.payload import programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange import of_container, run, take
from sandboxd.exchange import seed as seeding
from sandboxd.exchange.run import Patience, Problem
from sandboxd.exchange.seed import Seed, seed
from sandboxd.file_lock import locked
from sandboxd.life import commits
from sandboxd.model.engine_answers import Inspected
from sandboxd.model.labels import PROJECT
from tests.patience import PATIENCE
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    return sides


def test_one_that_is_under_way_is_waited_for_so_long(sides: Sides) -> None:
    told: list[str] = []
    with locked(sides.place.lock):
        patience = Patience(0.2, lambda: told.append("waits"))
        outcome = run.exchange(sides.repository, sides.place, "", sides.transfer, patience)
    assert (outcome.problem, told) == (Problem.BUSY, ["waits"])
    assert sides.exchange().host_followed


def test_a_command_says_what_it_waits_for_and_goes_on(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "LOCK_SECONDS", 0.2)
    told: list[str] = []
    environ = {"XDG_STATE_HOME": str(sides.folder.parent / "state")}
    with locked(sides.place.lock):
        commits.exchange(cast("Engine", None), environ, inspected(sides), told.append)
    assert told[0] == "waiting up to 0.2 s for commits that pass just now"
    assert told[1].startswith("commits do not pass: another exchange of commits with this sandbox")
    assert "at the next `sandboxd up`" in told[2]


def test_git_inside_that_does_not_end_holds_up_a_command_for_its_seconds(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def never_ends(*_words: Any) -> int:
        asked.append(float(_words[4]))
        raise TimeoutError

    monkeypatch.setattr(programs, "run", never_ends)
    told: list[str] = []
    environ = {"XDG_STATE_HOME": str(sides.folder.parent / "state")}
    engine = cast("Engine", SimpleNamespace(inspect=lambda _: inspected(sides)))
    commits.exchange(engine, environ, inspected(sides), told.append, says_transfer=True)
    assert asked == [commits.TRANSFER_SECONDS]
    assert told[0] == "bringing commits first, for 60 s at most"
    assert any("git in the sandbox does not give its commits" in line for line in told)
    assert sides.exchange().host_followed


def test_the_daemon_waits_for_as_long_as_before() -> None:
    assert of_container.NONE.lock_seconds is None
    assert of_container.NONE.transfer_seconds > commits.TRANSFER_SECONDS


def test_up_and_take_end_too(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (seeding, take):
        monkeypatch.setattr(module, "_LOCK_SECONDS", 0.2)
    with locked(sides.place.lock):
        with pytest.raises(EnvironmentFailure, match="is under way") as failure:
            seed(sides.repository, sides.place, Seed(["/elsewhere"]))
        assert failure.value.hint == "run the command again"
        with pytest.raises(EnvironmentFailure, match="pass just now"):
            take.take(sides.repository, sides.place, "", (), {})


def test_a_lock_that_is_let_go_in_time_is_had(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = locked(path)
    first.__enter__()
    with locked(path, lambda: first.__exit__(None, None, None), seconds=PATIENCE):
        pass


def inspected(sides: Sides) -> Inspected:
    """What the engine says of the sandbox of `sides`."""
    mount = {"Type": "bind", "Source": sides.place.inside, "Destination": "/w/.git", "RW": True}
    labels = {PROJECT: str(sides.folder)}
    return cast("Inspected", {"Id": "c", "Mounts": [mount], "Config": {"Labels": labels}})
