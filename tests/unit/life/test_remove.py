"""A container that hangs is removed by ending what is behind it, and nothing is said to be gone that is not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Engine
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import end


class Hanging:
    """An engine that cannot remove its container until its processes are ended."""

    is_local = True

    def __init__(self) -> None:
        self.is_gone = False

    def remove(self, _container: str) -> None:
        raise failures.NoAnswer("the engine", 1.0)

    def answers(self) -> bool:
        return True

    def inspect(self, container: str) -> dict[str, Any]:
        if self.is_gone:
            raise failures.ContainerGone(container)
        return {"State": {"Status": "running"}}


def remove(
    monkeypatch: pytest.MonkeyPatch, ended: list[int], others: list[int], by_force: bool = True
) -> None:
    engine = Hanging()

    def end_processes(_container: str) -> tuple[list[int], list[int]]:
        engine.is_gone = bool(ended)
        return ended, others

    monkeypatch.setattr(end.runtime_processes, "end", end_processes)
    end.remove(cast("Engine", engine), "0123456789abcdef", by_force)


def test_a_container_goes_when_its_processes_were_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    remove(monkeypatch, [7], [])
    # That others have one of the same container is no matter once ours are ended.
    remove(monkeypatch, [7], [8])


def test_processes_of_another_user_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentFailure, match="whose runtime does not react") as caught:
        remove(monkeypatch, [], [8, 9])
    assert "`sudo kill -9 8 9`" in caught.value.hint


def test_nothing_is_ended_unless_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(failures.NoAnswer):
        remove(monkeypatch, [7], [], by_force=False)
