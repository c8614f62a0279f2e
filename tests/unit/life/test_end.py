"""The end of a container in each state that an engine can report, on a played engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import end as life_end
from sandboxd.life import states
from tests.unit.engine.fake_engine import answering

WORKSPACE = "/home/dev/weather"
COPY = [{"Destination": "/sandboxd/workspace", "RW": False, "Type": "bind"}]


class Played:
    """An engine with one container on a private copy, which no command can be run in."""

    def __init__(self, status: str, after_unpause: str = "running") -> None:
        self.status, self.after_unpause = status, after_unpause
        self.calls: list[str] = []

    def __call__(self, method: str, target: str) -> tuple[int, object]:
        path = target.partition("?")[0]
        if method == "GET" and path.endswith("/json"):
            if "remove" in self.calls:
                return 404, {"message": "No such container: a"}
            started = "2026-01-01T00:00:00.5Z"
            state = {
                "Status": self.status,
                "Running": self.status == "running",
                "StartedAt": started,
            }
            return 200, {"Id": "a", "Name": "/a", "State": state, "Mounts": COPY}
        verb = "remove" if method == "DELETE" else path.rpartition("/")[2]
        self.calls.append(verb)
        if verb == "unpause":
            self.status = self.after_unpause
        if verb == "exec":
            return 409, {"message": f"container a is {self.status}"}
        return 200, {}


def end(
    played: Callable[[str, str], tuple[int, object]], state: str, discard: bool = False
) -> None:
    with answering(played) as engine:
        container = Summary("a", "a", "image", state, {}, 0)
        life_end.end(engine, container, WORKSPACE, lambda _: None, discard)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_SETTLE_SECONDS", 0.3)


@pytest.mark.parametrize("state", ["running", "paused", "restarting", "a state of tomorrow"])
def test_work_that_cannot_be_kept_keeps_its_container(state: str, own_home: object) -> None:
    played = Played(state)
    with pytest.raises(EnvironmentFailure, match="cannot be kept") as caught:
        end(played, state)
    assert "--discard" in str(caught.value.hint)
    assert "remove" not in played.calls and "stop" not in played.calls


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
def test_work_is_thrown_away_when_that_is_said(state: str, own_home: object) -> None:
    played = Played(state)
    end(played, state, discard=True)
    assert played.calls == (["unpause"] if state == "paused" else []) + ["stop", "remove"]


@pytest.mark.parametrize("state", ["exited", "created", "dead"])
def test_what_does_not_run_holds_no_work(state: str, own_home: object) -> None:
    played = Played(state)
    end(played, state)
    assert played.calls == ["remove"]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_container_that_ends_late_is_removed_all_the_same(
    own_home: object, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    # However long the engine waited by itself.
    monkeypatch.setattr(life_end, "_GONE_SECONDS", 0.0)

    class Late(Played):
        def __call__(self, method: str, target: str) -> tuple[int, object]:
            if method == "DELETE" and self.calls.count("late") < times:
                self.calls.append("late")
                words = "PID 535076 is zombie and can not be killed"
                return 500, {"message": f'cannot remove container "/a": could not kill: {words}'}
            return super().__call__(method, target)

    played = Late("exited")
    if times == 3:
        with pytest.raises(EnvironmentFailure, match="does not see a container end"):
            end(played, "exited")
    else:
        end(played, "exited")
        assert played.calls == ["late"] * times + ["remove"]
