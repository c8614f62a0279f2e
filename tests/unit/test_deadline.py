"""A wait with a time limit looks once more when that has passed, however long the machine stood still."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd import deadline
from sandboxd.deadline import looks_within
from sandboxd.engine import execute
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import lock
from sandboxd.setup import engine_control


class Clock:
    """A clock that goes on at the test's word alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("seconds", "steps", "expected"),
    [
        (5.0, [2.0, 2.0, 2.0], [5.0, 3.0, 1.0, 0.0]),
        (5.0, [5.0], [5.0, 0.0]),
        (5.0, [86400.0], [5.0, 0.0]),
        (0.0, [], [0.0]),
        (-1.0, [], [0.0]),
    ],
)
def test_after_the_time_limit_there_is_one_more_look(
    clock: Clock, seconds: float, steps: list[float], expected: list[float]
) -> None:
    looks = looks_within(seconds)
    seen = []
    for left in looks:
        seen.append(left)
        clock.now += steps.pop(0) if steps else 0.0
    assert seen == expected
    assert next(looks, None) is None, "and no further"


def test_the_time_begins_with_the_wait_and_not_with_the_first_look(clock: Clock) -> None:
    looks = looks_within(5.0)
    clock.now += 9.0
    assert list(looks) == [0.0]


def test_a_connection_gives_what_came_while_the_machine_stood_still(clock: Clock) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        limited = execute.Limited(ours, 5.0)
        clock.now += 9.0
        theirs.sendall(b"it")
        assert limited.recv(9) == b"it"
        theirs.sendall(b"late")
        with pytest.raises(TimeoutError):
            limited.recv(9)


def test_a_code_that_came_while_the_machine_stood_still_counts(clock: Clock) -> None:
    codes = [None, 7, 8]

    def exec_exit_code(_: str) -> int | None:
        clock.now += 3600.0
        return codes.pop(0)

    running = {"State": {"Running": True}}
    engine = SimpleNamespace(exec_exit_code=exec_exit_code, inspect=lambda _: running)
    assert execute.wait_for_code(cast("Any", engine), "c", "e") == 7
    codes[:] = [None, None, 8]
    with pytest.raises(EnvironmentFailure, match="does not say how the command did"):
        execute.wait_for_code(cast("Any", engine), "c", "e")
    assert codes == [8]


def test_a_lock_that_became_free_while_the_machine_stood_still_is_taken(clock: Clock) -> None:
    check = lock._bound(5.0, "worked")
    check()
    clock.now += 9.0
    check()
    with pytest.raises(EnvironmentFailure, match="another sandboxd has worked for more than 5 s"):
        check()


def test_an_engine_that_came_back_while_the_machine_stood_still_is_seen(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False, True]

    def knows(*_: object) -> bool:
        clock.now += 3600.0
        return answers.pop(0)

    monkeypatch.setattr(engine_control, "knows", knows)
    assert engine_control._within(cast("Any", None), {}, (), 5.0)
    answers[:] = [False, False, True]
    assert not engine_control._within(cast("Any", None), {}, (), 5.0)
    assert answers == [True]
