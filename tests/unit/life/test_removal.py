"""What is large is waited for, as long as the engine itself answers; the user hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Engine, Summary
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import end, lasting, removal

ID = "0123456789abcdef"


class Slow:
    """An engine that is silent about what it removes for some questions, and answers all else."""

    is_local = True

    def __init__(self, questions: int, answers: bool = True) -> None:
        self._left, self._answers = questions, answers
        self.asked: list[str] = []

    def _ask(self, what: str) -> bool:
        self.asked.append(what)
        self._left -= 1
        return self._left < 0

    def remove(self, _container: str) -> None:
        self.asked.append("remove")
        raise failures.NoAnswer("the engine", 20.0)

    def inspect(self, container: str) -> dict[str, Any]:
        if self._ask("inspect"):
            raise failures.ContainerGone(container)
        return {"State": {"Status": "removing"}}

    def remove_volume(self, _name: str) -> bool:
        if not self._ask("remove volume"):
            raise failures.NoAnswer("the engine", 10.0)
        return False

    def volume(self, _name: str) -> None:
        return None

    def answers(self) -> bool:
        return self._answers


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each look takes four seconds."""
    now = [0.0]
    monkeypatch.setattr(removal.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(removal.time, "sleep", lambda _seconds: now.__setitem__(0, now[0] + 4))
    yield


def test_a_container_with_many_files_is_waited_for_in_words() -> None:
    said: list[str] = []
    engine = Slow(9)
    end.remove(cast("Engine", engine), ID, progress=said.append)
    assert engine.asked.count("remove") == 1, "another one beside it would be refused"
    assert said[0] == "removing `0123456789ab`, which is large: 12 s so far"
    assert len(said) == 2


def test_one_that_somebody_else_removes_is_waited_for_too() -> None:
    engine = Slow(4)
    container = Summary(ID, "box", "image", "exited", {}, 0)
    end.end(cast("Engine", engine), container, "/ws", lambda _: None)
    assert "inspect" in engine.asked


def test_a_volume_is_gone_once_the_engine_speaks_again() -> None:
    said: list[str] = []
    lasting.remove(cast("Engine", Slow(7)), "copy-1", said.append)
    assert said == [f"removing the volume `copy-1`, which is large: {n} s so far" for n in (12, 24)]


def test_an_engine_that_does_not_answer_is_not_waited_for() -> None:
    with pytest.raises(failures.NoAnswer):
        end.remove(cast("Engine", Slow(9, answers=False)), ID)
    with pytest.raises(failures.NoAnswer):
        lasting.remove(cast("Engine", Slow(9, answers=False)), "copy-1")


def test_what_never_ends_is_named_with_the_command_that_shows_it() -> None:
    with pytest.raises(EnvironmentFailure, match="did not end within 15 minutes") as caught:
        end.remove(cast("Engine", Slow(10_000)), ID)
    assert "`docker inspect 0123456789ab`" in caught.value.hint
