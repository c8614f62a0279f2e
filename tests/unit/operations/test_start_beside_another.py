"""A start waits for another one of the same sandbox, which holds its rights until its gateway answers, and says so."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import egress, lock
from sandboxd.operations import gateway_start, given_at_start
from sandboxd.state import given_rights
from tests.unit.operations.running_project import LISTED, NETWORK, Running, play

if TYPE_CHECKING:
    from sandboxd.life.egress import Give


class Another:
    """A start that holds the rights of the sandbox until the one that is tested has said that it waits."""

    def __init__(self, running: Running, holder: contextlib.ExitStack) -> None:
        self.said: list[str] = []
        self._holder = holder
        holder.enter_context(lock.rights_lock(running.environ, str(running.path)))

    def waiting(self, message: str) -> None:
        self.said.append(message)
        self._holder.close()


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    played = play(tmp_path, monkeypatch)
    played.write(LISTED, trusted=True)
    played.start()
    return played


def test_a_gateway_is_given_its_rights_after_another_start(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, rights = running.give()
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    with contextlib.ExitStack() as holder:
        another = Another(running, holder)
        with gateway_start.giving(
            running.environ,
            project.sandbox,
            lambda: (rights, project.config.digest),
            NETWORK.inner.id,
            lambda each: each.on_machine((), (), ()),
            waiting=another.waiting,
        ) as offer:
            assert offer.rights.policy.rules
    assert len(another.said) == 1


def test_what_a_start_gave_is_noted_after_another_start(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, rights = running.give()
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    with contextlib.ExitStack() as holder:
        another = Another(running, holder)
        given_at_start.note(project, "c2", rights, waiting=another.waiting)
    record = given_rights.recall(running.environ, str(running.path))
    assert record is not None and record.container == "c2"
    assert len(another.said) == 1


def test_a_gateway_that_is_started_again_waits_no_longer_than_who_takes_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon starts it again while it holds the project's lock, and tries once more a moment later."""
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    monkeypatch.setattr(lock, "_START_SECONDS", 0.2)

    def prepare(*words: Any) -> Any:
        return words[-1]

    def follow(_engine: object, give: Give, _progress: object) -> None:
        with give(NETWORK.inner.id, lambda each: each):
            pass

    monkeypatch.setattr(egress, "prepare", prepare)
    monkeypatch.setattr(egress, "follow", follow)
    engine: Any = None
    sandbox = str(running.path)
    with (
        lock.rights_lock(running.environ, sandbox),
        pytest.raises(EnvironmentFailure, match="for more than 0 s"),
    ):
        gateway_start.mend(engine, sandbox, running.environ)
    assert gateway_start.mend(engine, sandbox, running.environ)


def test_a_start_without_a_gateway_is_noted_after_another_start(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = running.give()
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    with contextlib.ExitStack() as holder:
        another = Another(running, holder)
        given_at_start.note(project, "c2", None, waiting=another.waiting, is_open=True)
    record = given_rights.recall(running.environ, str(running.path))
    assert record is not None and (record.container, record.is_open) == ("c2", True)
    assert len(another.said) == 1
