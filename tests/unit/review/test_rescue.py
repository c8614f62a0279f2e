"""Before a sandbox ends: its changes are kept, or it is said that there are none to keep."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.review import collect, rescue
from sandboxd.review.rescue import NotWhole

GONE = "/a-project/that-was-removed"


class Engine:
    """It knows one container, or none."""

    def __init__(self, status: str | None) -> None:
        self._status = status

    def inspect(self, _container: str) -> dict[str, Any]:
        if self._status is None:
            raise failures.ContainerGone("gone", "")
        return {"State": {"Status": self._status}}


def before_end(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: str | None = "running"
) -> list[str]:
    """What is said when the changes cannot be had by reason of `error`."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(rescue, "_lasts", lambda *_: False)
    monkeypatch.setattr(collect, "let_go_on", lambda *_: True)
    monkeypatch.setattr(rescue, "keep", fail)
    said: list[str] = []
    engine: Any = Engine(status)
    with rescue.before_end(engine, "c", sandbox_id(GONE, ""), said.append):
        pass
    return said


def test_a_copy_that_was_never_whole_is_not_kept_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = before_end(monkeypatch, NotWhole())
    assert len(said) == 1 and said[0].startswith("nothing is kept: the private copy")


@pytest.mark.parametrize("status", ["exited", "dead", None])
def test_of_a_container_that_has_ended_there_is_nothing_to_keep(
    monkeypatch: pytest.MonkeyPatch, status: str | None
) -> None:
    assert before_end(monkeypatch, failures.ContainerGone("gone", ""), status) == []


@pytest.mark.parametrize("status", ["running", "restarting", "paused"])
def test_one_that_has_not_must_not_end(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    with pytest.raises(EnvironmentFailure, match="starts again and again"):
        before_end(monkeypatch, failures.ContainerGone("gone", ""), status)


def test_a_copy_whose_folder_was_removed_can_be_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command names the project: nobody can be in its folder."""
    with pytest.raises(EnvironmentFailure, match="cannot be kept, so it goes on running") as failed:
        before_end(monkeypatch, UsageError(f"`{GONE}` is not a folder that can be opened"))
    assert failed.value.hint is not None
    assert failed.value.hint.endswith(f"`sandboxd down --project {GONE} --discard`")
