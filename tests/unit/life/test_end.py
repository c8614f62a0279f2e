"""The end of a container in each state that an engine can report, on a played engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.egress.policy import Policy
from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import record
from sandboxd.halt.record import Halt, Owner, Reason
from sandboxd.life import end as life_end
from sandboxd.life import halts, states
from sandboxd.model.labels import MADE_BY, PROJECT, UP, VOLUME, VOLUME_TIME
from sandboxd.review import copies
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights
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


def test_what_is_to_be_removed_by_hand_may_need_a_second_attempt(
    own_home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Staying(Played):
        def __call__(self, method: str, target: str) -> tuple[int, object]:
            return (200, {}) if method == "DELETE" else super().__call__(method, target)

    monkeypatch.setattr(life_end, "_GONE_SECONDS", -1.0)
    with pytest.raises(EnvironmentFailure, match="does not remove `a`, which is exited") as caught:
        end(Staying("exited"), "exited")
    assert "`docker rm -f a`; where that fails with `can not be killed`" in caught.value.hint


LASTING = {"Destination": "/w", "RW": True, "Type": "volume", "Name": "sandboxd-copy-weather"}


class PlayedStopped(Played):
    """A stopped container with a whole copy in a volume; its start has this status."""

    def __init__(self, start: int) -> None:
        super().__init__("exited")
        self.start = start

    def __call__(self, method: str, target: str) -> tuple[int, object]:
        if "/volumes/" in target:
            labels = {VOLUME: WORKSPACE, VOLUME_TIME: "1"}
            return 200, {"Name": LASTING["Name"], "Labels": labels}
        status, answer = super().__call__(method, target)
        if target.endswith("/start"):
            self.status = "running" if self.start < 400 else self.status
            return self.start, {"message": "its runtime is gone"}
        if isinstance(answer, dict) and "Mounts" in answer:
            config = {"Labels": {PROJECT: WORKSPACE}}
            answer |= {"Mounts": [*COPY, LASTING], "Config": config, "HostConfig": {}}
        return status, answer


@pytest.mark.parametrize("start", [204, 500])
def test_a_stopped_sandbox_is_started_for_a_look_before_it_goes(
    own_home: object, start: int
) -> None:
    copies.note_whole({"Name": LASTING["Name"], "Labels": {VOLUME_TIME: "1"}})
    played, said = PlayedStopped(start), list[str]()
    with answering(played) as engine:
        container = Summary("a", "a", "image", "exited", {PROJECT: WORKSPACE}, 0)
        life_end.end(engine, container, WORKSPACE, said.append)
    # Its copy stays, so what cannot be read of it is no reason to leave the container.
    assert played.calls[0] == "start" and played.calls[-1] == "remove"
    assert ("exec" in played.calls and "stop" in played.calls) == (start == 204)
    assert "cannot be shown before it runs again" in said[-1]


def test_nothing_is_started_for_work_that_is_thrown_away(own_home: object) -> None:
    copies.note_whole({"Name": LASTING["Name"], "Labels": {VOLUME_TIME: "1"}})
    played = PlayedStopped(204)
    end(played, "exited", discard=True)
    assert played.calls == ["remove"]


class Shared(Played):
    """A paused container that shares its workspace with the host, beside another of its sandbox if that is said."""

    def __init__(self, *others: str) -> None:
        super().__init__("paused")
        self.others = others

    def __call__(self, method: str, target: str) -> tuple[int, object]:
        if "/containers/json" in target:
            listed = [each for each in ("a", *self.others) if each != "a" or not self.calls]
            return 200, [{"Id": each, "Labels": {PROJECT: WORKSPACE}} for each in listed]
        status, answer = super().__call__(method, target)
        if isinstance(answer, dict) and "Mounts" in answer:
            mount = {"Type": "bind", "Source": WORKSPACE, "Destination": "/w", "RW": True}
            answer |= {"Mounts": [mount]}
        return status, answer


def end_of_sandbox(played: Played) -> list[str]:
    """End it as `up --recreate` and `down` do; returns what that says."""
    told: list[str] = []
    with answering(played) as engine:
        container = Summary("a", "a", "image", "paused", {PROJECT: WORKSPACE, MADE_BY: UP}, 0)
        with pytest.raises(record.Unreadable) as caught:
            halts.refuse_halted(engine, container)
        assert "`sandboxd up --recreate`" in caught.value.hint
        life_end.end(engine, container, WORKSPACE, told.append)
    return told


def unreadable(own_home: Path, *, is_older: bool) -> Path:
    """The record of the halt of the container `a`, which cannot be read."""
    halt = Halt(WORKSPACE, "a", Owner.DAEMON, Reason.REPLACED, 1.0, ())
    record.save(os.environ, halt)
    [path] = list(own_home.rglob("halts/*.json"))
    path.write_text("{")
    return path.rename(record._older_path(os.environ, WORKSPACE)) if is_older else path


@pytest.mark.parametrize("is_older", [False, True])
def test_one_whose_halt_cannot_be_read_is_removed_as_it_is_at_the_users_word(
    own_home: Path, is_older: bool
) -> None:
    path = unreadable(own_home, is_older=is_older)
    played = Shared()
    told = end_of_sandbox(played)
    assert set(played.calls) == {"remove"}, "never resumed"
    assert not path.exists()
    assert Path(f"{path}.unreadable").read_text() == "{"
    assert told == [
        "its halt has ended, and that is not in the audit record, as its own cannot be read",
        f"what could not be read about a halt is `{path}.unreadable` now, and holds nothing any more",
    ]
    assert record.open_halt(os.environ, WORKSPACE, "the next") is None


def test_what_may_be_about_another_container_holds_that_on(own_home: Path) -> None:
    path = unreadable(own_home, is_older=True)
    told = end_of_sandbox(Shared("b"))
    assert "`docker rm -f b`; where that fails" in told[-1] and f"`rm {path}`" in told[-1]
    with pytest.raises(record.Unreadable):
        record.open_halt(os.environ, WORKSPACE, "b")


def test_what_may_be_about_a_container_on_another_engine_holds_that_on(own_home: Path) -> None:
    path = unreadable(own_home, is_older=True)
    there = {**os.environ, "DOCKER_HOST": "ssh://build"}
    given_rights.keep(there, WORKSPACE, GivenRights("c2", "", Policy()))
    told = end_of_sandbox(Shared())
    assert "`DOCKER_HOST=ssh://build sandboxd up --recreate`; then `rm " in told[-1]
    with pytest.raises(record.Unreadable):
        record.open_halt(os.environ, WORKSPACE, "c2")
    given_rights.note_gone(given_rights.entries(os.environ))
    assert "holds nothing any more" in end_of_sandbox(Shared())[-1]
    assert not path.exists()


def test_who_runs_one_of_an_editor_is_told_to_rebuild_it(own_home: Path) -> None:
    unreadable(own_home, is_older=False)
    editors = Summary("a", "a", "image", "paused", {PROJECT: WORKSPACE}, 0)
    with answering(Shared()) as engine, pytest.raises(record.Unreadable) as caught:
        halts.refuse_halted(engine, editors)
    assert caught.value.hint.startswith("rebuild it in the editor")


def test_an_older_record_that_cannot_be_read_takes_no_work_of_a_private_copy(
    own_home: Path,
) -> None:
    unreadable(own_home, is_older=True)
    played = Played("paused")
    with answering(played) as engine:
        container = Summary("a", "a", "image", "paused", {PROJECT: WORKSPACE, MADE_BY: UP}, 0)
        with pytest.raises(EnvironmentFailure, match="cannot be kept"):
            life_end.end(engine, container, WORKSPACE, lambda _: None)
    assert "remove" not in played.calls
