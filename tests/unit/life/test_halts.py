"""The end of a halted sandbox at the user's word."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sandboxd.engine.client import Summary
from sandboxd.halt import record
from sandboxd.halt.words import Halted
from sandboxd.life import find, halts
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.plan.container_name import container_name
from tests.unit.engine.fake_engine import answering
from tests.unit.halt.test_entries import HALT, facts

pytestmark = pytest.mark.usefixtures("own_home")


def end(container: str) -> list[str]:
    """End the sandbox in a container; the kinds of what the audit record has then."""
    summary = Summary(container, "a", "image", "paused", {}, 0)
    assert halts.end(summary, HALT.sandbox) == ""
    return [kind for kind, _, _ in facts(dict(os.environ))]


@pytest.mark.parametrize("is_told", [False, True])
def test_a_halt_is_told_before_its_end(is_told: bool) -> None:
    """Its owner tells it a moment later, when all that belongs to it has happened."""
    record.save(os.environ, HALT._replace(is_told=is_told))
    assert end(HALT.container) == [*([] if is_told else ["halt"]), "halt-ended"]
    ended = record.load(os.environ, HALT.sandbox, HALT.container)
    assert ended is not None and ended.is_told and ended.ended is record.Ended.REMADE


def test_the_end_of_another_container_ends_no_halt() -> None:
    record.save(os.environ, HALT)
    assert end("c2") == []
    assert record.load(os.environ, HALT.sandbox, HALT.container) == HALT


FOLDER = "/w"
NAMES = {"c1": container_name(FOLDER), "c2": "dreamy_turing"}
BY_EDITOR = HALT._replace(sandbox=FOLDER, container="c2")
BY_UP = HALT._replace(sandbox=FOLDER)


def two(state: str, second: str = "paused") -> Any:
    """An engine with the container of `up` and one that an editor made, on one folder."""
    states = {"c1": state, "c2": second}
    listed = [
        {
            "Id": each,
            "Names": [f"/{NAMES[each]}"],
            "State": states[each],
            "Labels": {PROJECT: FOLDER, MADE_BY: UP if each == "c1" else "editor"},
        }
        for each in states
    ]

    def answer(_method: str, target: str) -> tuple[int, object]:
        if "/containers/json" in target:
            return 200, listed
        if "/images/" in target:
            return 200, {"Config": {"Labels": {}}}
        each = "c1" if "/c1/" in target else "c2"
        is_paused = states[each] == "paused"
        mounts = [{"Type": "bind", "Source": FOLDER, "Destination": "/x"}]
        state = {"Status": states[each], "Running": True, "Paused": is_paused}
        return 200, {"Id": each, "Mounts": mounts, "State": state, "Image": "image"}

    return answering(answer)


def test_who_needs_one_is_told_of_the_halt_of_each() -> None:
    for halt in (BY_UP, BY_EDITOR):
        record.save(os.environ, halt)
    with two("paused") as engine, pytest.raises(Halted) as caught:
        find.locate(engine, FOLDER)
    message = caught.value.message
    assert message.startswith("the sandbox is halted: `.envrc`, `sub` were ")
    assert "`dreamy_turing`, on the same folder, is halted, too: `.envrc`" in message
    assert "`docker rm -f c2`" in message
    assert caught.value.hint.startswith("`sandboxd up --recreate`")


@pytest.mark.parametrize("state", ["exited", "created"])
def test_one_that_is_halted_is_named_where_the_other_does_not_run(state: str) -> None:
    record.save(os.environ, BY_EDITOR)
    with two(state) as engine:
        with pytest.raises(Halted) as caught:
            find.locate(engine, FOLDER)
        assert "Rebuild Container" in caught.value.hint
        assert find.locate(engine, FOLDER, even_halted=True).id == "c2"


def test_one_that_runs_is_worked_in_and_the_other_is_named() -> None:
    record.save(os.environ, BY_EDITOR)
    with two("running") as engine:
        assert find.locate(engine, FOLDER).id == "c1"
        (text,) = halts.beside(engine, FOLDER, "c1")
        assert text.startswith("`dreamy_turing`, on the same folder, is halted, too: ")
        assert halts.beside(engine, FOLDER, "c2") == []
        assert halts.beside(engine, "/elsewhere", "c1") == []


def test_the_end_of_one_leaves_the_other_halted() -> None:
    for halt in (BY_UP, BY_EDITOR):
        record.save(os.environ, halt)
    summary = Summary("c1", NAMES["c1"], "image", "paused", {}, 0)
    assert halts.end(summary, FOLDER) == ""
    assert halts.present(FOLDER, "c1") is None
    assert halts.present(FOLDER, "c2") == BY_EDITOR
