"""A start that is interrupted leaves nothing: no container, no stand-in, no note of an unfinished start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import (
    create,
    egress,
    find,
    journal,
    private_copy,
    reuse,
    sources,
    up_down,
    volumes,
)
from sandboxd.life.starting import Running, Start
from sandboxd.model.labels import EDITOR, MADE_BY, PROJECT, START, STUBS
from sandboxd.plan import generate
from sandboxd.plan.plan import Plan
from sandboxd.state import stand_ins
from tests.unit.plan.examples import GVISOR, plan

STAND_INS = (".idea", ".vscode")
INTERRUPTIONS = [KeyboardInterrupt(), EnvironmentFailure("no space", "free some")]


class Played:
    """An engine that makes containers; `interrupt` ends the step of that name."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.there: dict[str, dict[str, str]] = {}
        self.interrupt: dict[str, BaseException] = {}
        self.stand_ins: set[str] = set()

    def image_id(self, _name: str) -> str:
        return "sha256:1"

    def containers(self, *labels: str) -> list[Summary]:
        wanted = [label.partition("=") for label in labels]
        return [
            Summary(id_, "name", "img:1", "running", known, 0)
            for id_, known in self.there.items()
            if all(key in known and known[key] == (value or known[key]) for key, _, value in wanted)
        ]

    def create(self, name: str, body: dict[str, Any]) -> str:
        self.there[name] = body["Labels"]
        self.stand_ins = {name for name in STAND_INS if (self.workspace / name).exists()}
        return name

    def step(self, name: str) -> None:
        if name in self.interrupt:
            raise self.interrupt[name]

    def remove(self, container: str) -> None:
        del self.there[container]

    def inspect(self, container: str) -> dict[str, Any]:
        if container not in self.there:
            raise failures.ContainerGone(container)
        return {"Name": "/one", "Config": {}, "HostConfig": {}, "State": {}, "Mounts": []}

    def start(self, _container: str) -> None:
        self.step("start")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played(tmp_path)

    def creating(start: Start, body: dict[str, Any], *_: object) -> dict[str, str]:
        container = played.create(start.plan.container.name, body)
        played.step("create")
        return {"Id": container}

    monkeypatch.setattr(create, "_create", creating)
    monkeypatch.setattr(volumes, "refuse_other_device", lambda *_: None)
    monkeypatch.setattr(sources, "on_this_machine", lambda _: False)
    monkeypatch.setattr(private_copy, "make", lambda engine, *_: engine.step("prepare"))
    return played


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    result = plan(host=GVISOR)
    return result._replace(
        workspace=str(tmp_path), stubs=STAND_INS, prepare=("cp",), egress=None, lasting=()
    )


def start(engine: Played, planned: Plan) -> Running:
    return up_down.up(engine, planned, lambda _: None)  # type: ignore[arg-type]


def of(engine: Played, planned: Plan) -> Start:
    return Start(engine, planned, None, {}, lambda _: None, lambda: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", ["create", "prepare"])
@pytest.mark.parametrize("interruption", INTERRUPTIONS, ids=["Ctrl-C", "failure"])
def test_of_a_first_start_nothing_is_left(
    engine: Played, planned: Plan, step: str, interruption: BaseException
) -> None:
    engine.interrupt[step] = interruption
    with pytest.raises(type(interruption)):
        start(engine, planned)
    assert engine.stand_ins == set(STAND_INS), "they were not there when they were needed"
    assert engine.there == {}
    assert list(engine.workspace.iterdir()) == []
    assert journal.noted(planned.workspace) == ()


def test_only_the_container_of_this_start_goes(engine: Played, planned: Plan) -> None:
    others = {"another": {START: "0123"}}
    engine.there |= others
    engine.interrupt["prepare"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        start(engine, planned)
    assert engine.there == others


def test_what_an_earlier_start_noted_goes_with_the_interrupted_one(
    engine: Played, planned: Plan
) -> None:
    (engine.workspace / ".husky").mkdir()
    journal.note(planned.workspace, [".husky"])
    engine.interrupt["prepare"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        start(engine, planned)
    assert list(engine.workspace.iterdir()) == []


def test_a_start_that_ends_well_notes_its_stand_ins_on_the_container(
    engine: Played, planned: Plan
) -> None:
    running = start(engine, planned)
    assert running.how == "created"
    [labels] = engine.there.values()
    assert labels[STUBS] == ":".join(STAND_INS)
    assert journal.noted(planned.workspace) == ()


@pytest.mark.parametrize("interruption", INTERRUPTIONS, ids=["Ctrl-C", "failure"])
def test_a_container_that_was_stopped_and_whose_memory_is_not_filled_goes(
    engine: Played, planned: Plan, interruption: BaseException
) -> None:
    engine.there["old"] = {}
    engine.interrupt["prepare"] = interruption
    with pytest.raises(type(interruption)):
        reuse._start_again(of(engine, planned), "old")
    assert engine.there == {}


@pytest.mark.parametrize("is_there", [True, False])
def test_stand_ins_of_generated_files_go_with_the_files(
    engine: Played, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    workspace = str(engine.workspace)
    monkeypatch.setattr(egress, "leave", lambda *_, **__: None)
    monkeypatch.setattr(generate, "is_there", lambda _: is_there)
    for name in STAND_INS:
        (engine.workspace / name).mkdir()
    (engine.workspace / ".vscode/settings.json").write_text("{}")
    stand_ins.note(os.environ, workspace, [*STAND_INS, "../outside"])
    assert up_down.down(engine, workspace, lambda _: None) == []  # type: ignore[arg-type]
    left = {path.name for path in engine.workspace.iterdir()}
    assert left == (set(STAND_INS) if is_there else {".vscode"}), "what is used by now stays"
    assert bool(stand_ins.noted(os.environ, workspace)) == is_there


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_it_was_given_is_not_forgotten_while_one_of_an_editor_goes_on(
    engine: Played, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    monkeypatch.setattr(egress, "leave", lambda *_, **__: None)
    monkeypatch.setattr(find, "is_believed", lambda *_: True)
    workspace, forgotten = str(engine.workspace), []
    if goes_on:
        engine.there["of the editor"] = {PROJECT: workspace, MADE_BY: EDITOR}
    removed = up_down.down(
        engine,  # type: ignore[arg-type]
        workspace,
        lambda _: None,
        forget=lambda: forgotten.append(workspace),
    )
    assert removed == []
    assert forgotten == ([] if goes_on else [workspace])


def test_its_gateway_is_looked_at_once_nothing_runs_in_it_any_more(
    engine: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to its end it may use what it was given; then the gateway goes, which alone knows that."""
    order: list[str] = []
    monkeypatch.setattr(egress, "leave", lambda *_, **__: order.append("leave"))
    monkeypatch.setattr(up_down, "sandboxes_of_up", lambda *_: engine.containers())
    monkeypatch.setattr(up_down, "end", lambda *_: order.append("end"))
    monkeypatch.setattr(up_down.git_left, "could_write", lambda *_: False)
    monkeypatch.setattr(up_down.lost_at_end, "sentence_of", lambda *_: "")
    monkeypatch.setattr(up_down, "_is_of_editor", lambda *_: False)
    monkeypatch.setattr(up_down.lasting, "has_copy", lambda *_: False)
    engine.there["running"] = {}
    up_down.down(
        engine,  # type: ignore[arg-type]
        str(engine.workspace),
        lambda _: None,
        forget=lambda: order.append("forget"),
        look=lambda: order.append("look"),
    )
    assert order == ["end", "look", "leave", "forget"]


@pytest.mark.parametrize("discards", [True, False])
def test_what_was_to_be_thrown_away_and_does_not_end_has_no_gateway(
    engine: Played, monkeypatch: pytest.MonkeyPatch, discards: bool
) -> None:
    """What is to be kept goes on with its work, and with its gateway."""
    left: list[str] = []
    monkeypatch.setattr(egress, "leave", lambda _, sandbox, **__: left.append(sandbox))
    monkeypatch.setattr(up_down, "sandboxes_of_up", lambda *_: engine.containers())

    def silent(*_: object) -> None:
        raise EnvironmentFailure("it does not end", "end its processes")

    monkeypatch.setattr(up_down, "end", silent)
    engine.there["hanging"] = {}
    with pytest.raises(EnvironmentFailure, match="does not end"):
        up_down.down(engine, str(engine.workspace), lambda _: None, discards)  # type: ignore[arg-type]
    assert left == ([str(engine.workspace)] if discards else [])


def test_a_container_that_was_stopped_is_not_started_where_it_is_not_allowed_any_more(
    engine: Played, planned: Plan
) -> None:
    def refuse() -> None:
        raise UsageError("it was revoked")

    engine.there["old"] = {}
    engine.interrupt["start"] = AssertionError("it was started")
    with pytest.raises(UsageError):
        reuse._start_again(of(engine, planned)._replace(allowed=refuse), "old")
