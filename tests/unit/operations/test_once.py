"""An approval for one connection is given to one gateway: which of them it used, none knows after its end."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.docker import DockerBackend
from sandboxd.egress.approvals import Approval
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.names import pattern
from sandboxd.file_lock import locked_beside
from sandboxd.life import egress, find, running_gateway, up_down
from sandboxd.operations import gateway, given_records, stop
from sandboxd.policy import approvals
from sandboxd.state import given_rights
from tests.unit.operations.running_project import LISTED, Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    played = play(tmp_path, monkeypatch)
    played.write(LISTED, trusted=True)
    return played


def allow(running: Running, serial: str) -> None:
    now = time.time()
    answer = Approval(pattern("once.example.org"), (443,), True, now, "shell", now + 3600, serial)
    approvals.add(running.environ, str(running.path), answer)


def given(running: Running) -> list[str]:
    """The serials of the approvals for one connection that its gateway has."""
    return [rule.once for rule in running.pushed[-1].rules if rule.once]


def test_a_gateway_that_goes_on_keeps_it(running: Running) -> None:
    allow(running, "1")
    running.start(time.time(), anew=True)
    assert given(running) == ["1"]
    running.follow()
    running.start(time.time())
    assert given(running) == ["1"]


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_gateway_that_is_made_anew_does_not_get_it_again(
    running: Running, is_locked: bool
) -> None:
    """Also where nobody can write that it was used: the one before was ended by its memory, say."""
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    assert given(running) == ["1"]
    path = Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", approvals.FILE_NAME)
    with locked_beside(str(path if is_locked else running.path.parent / "another")):
        running.start(time.time(), anew=True)
        assert given(running) == []
        running.follow()
        assert given(running) == []
    left = approvals.of_project(running.environ, str(running.path), time.time())
    assert [each.once for each in left] == (["1"] if is_locked else [])
    allow(running, "2")
    running.follow()
    assert given(running) == ["2"]


def test_a_gateway_that_has_forgotten_its_policy_has_forgotten_what_was_used(
    running: Running,
) -> None:
    """Somebody started its container again."""
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    running.pushed.clear()
    running.follow()
    assert running.pushed and given(running) == []
    assert approvals.of_project(running.environ, str(running.path), time.time()) == ()


@pytest.mark.parametrize(("used", "left"), [((), ["1"]), (("1",), []), (None, [])])
def test_a_gateway_that_ends_with_its_sandbox_tells_what_was_used(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    used: tuple[str, ...] | None,
    left: list[str],
) -> None:
    """One that does not answer may have used all."""
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    ledger = Ledger()
    event: Any = {"event": "used", "seq": 1, "time": 1.0, "name": "n", "port": 443, "once": "1"}
    ledger.take([event] if used else [])
    there = SimpleNamespace(ledger=lambda: ledger) if used is not None else None
    monkeypatch.setattr(find, "project_containers", lambda *_: [])
    monkeypatch.setattr(running_gateway, "gateway_of", lambda *_: there)
    monkeypatch.setattr(up_down, "down", lambda *words: words[-1]() or [])
    engine: Any = None
    stop.stop(DockerBackend(engine, running.environ), str(running.path), running.environ)
    assert given_rights.recall(running.environ, str(running.path)) is None
    answers = approvals.of_project(running.environ, str(running.path), time.time())
    assert [each.once for each in answers] == left


@pytest.mark.parametrize("is_spent", [False, True])
@pytest.mark.parametrize("by_an_editor", [False, True])
def test_a_gateway_whose_container_is_gone_may_have_used_all(
    running: Running, monkeypatch: pytest.MonkeyPatch, by_an_editor: bool, is_spent: bool
) -> None:
    """Its record goes with the container, and no later gateway may have them again."""
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    engine: Any = SimpleNamespace(containers=lambda *_: [], info=dict)
    monkeypatch.setattr(find, "sandboxes_of", lambda *_: [])
    monkeypatch.setattr(egress, "leave", lambda *_, **__: None)
    if is_spent:
        # One before it had it, whose use could not be written.
        record = given_rights.recall(running.environ, str(running.path))
        assert record is not None
        given_rights.keep(running.environ, str(running.path), record.with_new_gateway())
    if by_an_editor:
        assert gateway.end_unused(engine, str(running.path), running.environ)
    else:
        (entry,) = given_rights.entries(running.environ)
        assert given_records.forget_ended(engine, running.environ, entry)
    assert given_rights.entries(running.environ) == ()
    assert approvals.of_project(running.environ, str(running.path), time.time()) == ()
