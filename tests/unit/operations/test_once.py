"""An approval for one connection is given to one gateway: which of them it used, none knows after its end."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.egress.approvals import Approval
from sandboxd.egress.ledger import MOST_USES, Ledger
from sandboxd.egress.names import pattern
from sandboxd.file_lock import locked_beside
from sandboxd.life import egress, find, running_gateway, up_down
from sandboxd.operations import gateway, given_at_start, given_records, stop
from sandboxd.policy import approvals
from sandboxd.project import Project
from sandboxd.state import given_rights
from tests.unit.operations.running_project import LISTED, Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    played = play(tmp_path, monkeypatch)
    played.write(LISTED, trusted=True)
    return played


def allow(running: Running, serial: str) -> None:
    now = time.time()
    answer = Approval(
        pattern(f"once{serial}.example.org"), (443,), True, now, "shell", now + 3600, serial
    )
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


def answers_file(running: Running) -> Path:
    return Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", approvals.FILE_NAME)


def unused(running: Running) -> list[str]:
    """The serials of the approvals for one connection that are there and not used up."""
    answers = approvals.of_project(running.environ, str(running.path), time.time())
    return [each.once for each in answers]


def end(running: Running, monkeypatch: pytest.MonkeyPatch, uses: list[str] | None) -> None:
    """End the sandbox, whose gateway tells of `uses`; None: it does not answer."""
    ledger = Ledger()
    event: Any = {"event": "used", "time": 1.0, "name": "n", "port": 443}
    ledger.take({**event, "seq": n, "once": each} for n, each in enumerate(uses or (), 1))
    there = SimpleNamespace(ledger=lambda: ledger) if uses is not None else None

    def down(*words: Any) -> list[str]:
        *_, forget, look = words
        look()
        forget()
        return []

    monkeypatch.setattr(find, "project_containers", lambda *_: [])
    monkeypatch.setattr(running_gateway, "gateway_of", lambda *_: there)
    monkeypatch.setattr(up_down, "down", down)
    engine: Any = None
    stop.stop(DockerBackend(engine, running.environ), str(running.path), running.environ)


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
    end(running, monkeypatch, list(used) if used is not None else None)
    assert given_rights.recall(running.environ, str(running.path)) is None
    assert unused(running) == left


@pytest.mark.parametrize("is_full", [False, True])
def test_a_gateway_that_cannot_tell_all_that_it_used_may_have_used_all(
    running: Running, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """Somebody started its container again, or it tells of no more uses than the latest."""
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    if not is_full:
        monkeypatch.setattr(running_gateway, "version", lambda *_: 0)
    end(running, monkeypatch, [f"another {n}" for n in range(MOST_USES)] if is_full else [])
    assert unused(running) == []


def test_what_ended_while_nobody_could_write_that_it_was_used_is_noted_later(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.start(time.time(), anew=True)
    allow(running, "1")
    allow(running, "2")
    running.follow()
    with locked_beside(str(answers_file(running))):
        end(running, monkeypatch, ["1"])
    assert unused(running) == ["1", "2"]
    running.start(time.time(), anew=True)
    assert given(running) == ["2"]
    assert unused(running) == ["2"]


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_start_without_a_network_uses_up_what_the_gateway_before_it_had(
    running: Running, is_locked: bool
) -> None:
    running.start(time.time(), anew=True)
    allow(running, "1")
    running.follow()
    project = Project.open(str(running.path), running.environ)
    path = answers_file(running)
    with locked_beside(str(path if is_locked else running.path.parent / "another")):
        given_at_start.note(project, "c2", None)
    assert unused(running) == (["1"] if is_locked else [])
    assert len(given_rights.entries(running.environ)) == is_locked
    running.start(time.time(), anew=True)
    assert given(running) == unused(running) == []


@pytest.mark.parametrize("is_spent", [False, True])
@pytest.mark.parametrize("by_an_editor", [False, True])
def test_a_gateway_whose_container_is_gone_may_have_used_all(
    running: Running, monkeypatch: pytest.MonkeyPatch, by_an_editor: bool, is_spent: bool
) -> None:
    """Its record goes with the container, once that is noted: no later gateway may have them again."""
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

    def forget() -> None:
        (entry,) = given_rights.entries(running.environ)
        if by_an_editor:
            assert gateway.end_unused(engine, str(running.path), running.environ)
        else:
            is_gone = given_records.forget_ended(engine, running.environ, entry)
            assert is_gone == (given_rights.entries(running.environ) == ())

    with locked_beside(str(answers_file(running))):
        forget()
    assert len(given_rights.entries(running.environ)) == 1
    forget()
    assert given_rights.entries(running.environ) == ()
    assert approvals.of_project(running.environ, str(running.path), time.time()) == ()
