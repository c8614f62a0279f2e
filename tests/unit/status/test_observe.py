"""A problem belongs to its container, the engine's to the engine; what was seen is good while nothing changes."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from sandboxd.egress.policy import Policy
from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.observe.control import Control
from sandboxd.observe.look import Look
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights
from sandboxd.status import observe
from sandboxd.status.observe import Observer
from tests.patience import PATIENCE

FOUND = Look((Control("seccomp", "in force", "a filter is loaded"),))


class FakeEngine:
    """Containers by id: their workspace and what `inspect` says, or raises."""

    def __init__(self, containers: dict[str, tuple[str, Any]]) -> None:
        self._containers = containers
        self.made_by = ""

    def _labels(self, place: str) -> dict[str, str]:
        return {PROJECT: place, MADE_BY: self.made_by}

    def containers(self, *_: str) -> list[Summary]:
        return [
            Summary(name, name, "image", "created" if new else "running", self._labels(place), 0)
            for name, (place, answer) in self._containers.items()
            for new in [answer == "running"]
        ]

    def image_labels(self, _: str) -> dict[str, str]:
        return {}

    def inspect(self, container: str) -> Any:
        place, answer = self._containers[container]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, threading.Event):
            answer.wait(PATIENCE)
        mount = {"Type": "bind", "Source": place, "Destination": "/w", "RW": True}
        started = answer if isinstance(answer, str) else ""
        state = {"StartedAt": started, "Running": True}
        if started in ("paused", "exited", "running"):
            state["Status"] = started
        return {"Id": container, "State": state, "Mounts": [mount]}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def look(_engine: object, inspected: dict[str, Any], *_: object) -> Look:
        calls.append(inspected["Id"])
        return FOUND

    monkeypatch.setattr(observe, "look", look)
    return calls


def engine_of(monkeypatch: pytest.MonkeyPatch, **containers: tuple[str, Any]) -> None:
    engine = FakeEngine(containers)
    monkeypatch.setattr(observe, "connect_from", lambda _: engine)


def test_one_that_fails_or_hangs_leaves_the_others_seen(
    monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    never, others = threading.Event(), list[object]()
    broken = EnvironmentFailure("the runtime does not answer", "end it")
    engine_of(monkeypatch, good=("/a", "1"), hung=("/b", never), broken=("/c", broken))

    def wait_for_others(looks: Any, seconds: float) -> Any:
        # The time is over once all but the one that hangs have been looked at, however long that takes.
        others.extend(each for each, summary in looks.items() if summary.id != "hung")
        assert seconds == observe.LOOK_SECONDS
        return wait(others, PATIENCE)

    monkeypatch.setattr(observe, "wait", wait_for_others)
    observed = Observer().observe({}, ("/a", "/b", "/c"))
    never.set()
    assert len(others) == 2
    assert observed.problem == ""
    assert observed.containers["/a"].controls == FOUND.controls
    assert "`hung` does not answer" in observed.containers["/b"].problem
    assert observed.containers["/c"][6:8] == ("the runtime does not answer", "end it")
    assert all(sandbox.running for sandbox in observed.containers.values())


def test_the_engine_s_problem_is_another_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> FakeEngine:
        raise EnvironmentFailure("there is no engine", "start it")

    monkeypatch.setattr(observe, "connect_from", refuses)
    observed = Observer().observe({}, ("/a",))
    assert (dict(observed.containers), observed.problem, observed.hint) == (
        {},
        "there is no engine",
        "start it",
    )


def test_it_is_looked_at_again_when_the_engine_says_something_else_of_it(
    monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    observer = Observer()
    for started in ("1", "1", "2"):
        engine_of(monkeypatch, one=("/a", started))
        observer.observe({}, ("/a",))
    # Another test's look that hangs may end only now.
    assert [look for look in looks if look != "hung"] == ["one", "one"]


def test_a_second_container_of_a_sandbox_is_seen_beside_the_one_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    engine_of(monkeypatch, one=("/a", "paused"), two=("/a", "2"), three=("/a", "exited"))
    observed = Observer().observe({}, ("/a",))
    # The list says of all that they run, and the first of them is shown.
    assert [observed.containers["/a"].id, *(each.id for _, each in observed.beside)] == [
        "one",
        "three",
        "two",
    ]
    assert [each.paused for _, each in observed.beside] == [False, False]
    assert all(each.is_editors for _, each in observed.beside)


@pytest.mark.parametrize("state", ["paused", "exited", "running"])
def test_the_container_itself_counts_where_the_list_is_behind(
    monkeypatch: pytest.MonkeyPatch, looks: list[str], state: str
) -> None:
    engine_of(monkeypatch, one=("/a", state))
    sandbox = Observer().observe({}, ("/a",)).containers["/a"]
    assert (sandbox.running, sandbox.paused) == (state == "running", state == "paused")


def test_what_did_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Look((), "no answer", "wait"), FOUND]
    monkeypatch.setattr(observe, "look", lambda *_: answers.pop(0))
    engine_of(monkeypatch, one=("/a", "1"))
    observer = Observer()
    assert observer.observe({}, ("/a",)).containers["/a"].problem == "no answer"
    assert observer.observe({}, ("/a",)).containers["/a"].controls == FOUND.controls
    assert not answers


def test_one_that_only_claims_to_be_the_project_s_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    """Whoever may start containers can give one any label; it has no mount of the project."""

    class Claims(FakeEngine):
        def inspect(self, container: str) -> Any:
            mounts = [] if container == "claims" else super().inspect(container)["Mounts"]
            return {**super().inspect(container), "Mounts": mounts}

    engine = Claims({"claims": ("/a", "1"), "real": ("/b", "1")})
    monkeypatch.setattr(observe, "connect_from", lambda _: engine)
    assert set(Observer().observe({}, ("/a", "/b")).containers) == {"/b"}


def test_a_daemon_is_told_of_all_that_run_and_a_single_look_of_those_that_were_asked_about(
    monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    """An editor starts one without telling anybody, and a second one beside that of `up`; inside none is looked."""

    class Claims(FakeEngine):
        def inspect(self, container: str) -> Any:
            mounts = [] if container == "claims" else super().inspect(container)["Mounts"]
            return {**super().inspect(container), "Mounts": mounts}

    containers = {"mine": "/a", "second": "/a", "theirs": "/b", "claims": "/c", "paused": "/d"}
    states = {"paused": "paused"}
    engine = Claims({name: (place, states.get(name, "1")) for name, place in containers.items()})
    monkeypatch.setattr(observe, "connect_from", lambda _: engine)
    observed = Observer(everywhere=True).observe({}, ("/a",))
    assert set(observed.containers) == {"/a"}
    runs = {run.container: run.sandbox for run in observed.runs}
    assert runs == {"mine": "/a", "second": "/a", "theirs": "/b", "paused": "/d"}
    assert {run.container for run in observed.runs if run.is_paused} == {"paused"}
    assert all(run.identity for run in observed.runs)
    assert sorted(looks) == ["mine", "second"]
    alone = Observer().observe({}, ("/a",)).runs
    assert {run.container for run in alone} == {"mine", "second"}


@pytest.mark.parametrize("is_recorded", [True, False])
def test_one_that_was_renamed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_recorded: bool
) -> None:
    """It goes on, and no command finds it; by its label alone it would be anybody's."""
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    if is_recorded:
        given_rights.keep(environ, "/a", GivenRights("other", "", Policy()))
    engine = FakeEngine({"other": ("/a", "1")})
    engine.made_by = UP
    monkeypatch.setattr(observe, "connect_from", lambda _: engine)
    observed = Observer().observe(environ, ("/a",))
    if not is_recorded:
        assert observed.containers == {}
        return
    sandbox = observed.containers["/a"]
    assert sandbox.running and "its container is called `other`" in sandbox.problem
    assert sandbox.hint.startswith("`docker rename other ")
    assert sandbox.id == "" and observed.runs == frozenset()
