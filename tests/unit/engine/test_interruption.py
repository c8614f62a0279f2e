"""An operation ends between two steps, and what cleans up afterwards goes through."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sandboxd.engine.interruption import (
    Cancel,
    Cancelled,
    Step,
    counted,
    interruptible,
    lines,
    never,
)
from tests.patience import PATIENCE


class Engine:
    host = "unix:///x"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ours, self.inside = socket.socketpair()

    def create(self) -> str:
        self.calls.append("create")
        return "id"

    def remove(self) -> None:
        self.calls.append("remove")

    def exec_start(self, _exec: str, _tty: bool) -> tuple[socket.socket, bytes]:
        return self.ours, b""


def test_the_next_call_ends_it_and_the_cleaning_up_goes_through() -> None:
    engine, cancel = Engine(), Cancel()
    proxy: Any = interruptible(engine, cancel)  # type: ignore[arg-type]
    assert (proxy.host, proxy.create()) == ("unix:///x", "id")
    cancel.cancel()
    with pytest.raises(Cancelled):
        try:
            proxy.create()
        except BaseException:
            proxy.remove()
            raise
    assert engine.calls == ["create", "remove"]


def test_no_handler_of_errors_takes_it_for_one() -> None:
    assert not issubclass(Cancelled, Exception)


@pytest.mark.parametrize("early", [False, True])
def test_a_command_that_is_waited_for_ends_at_once(early: bool) -> None:
    engine, cancel = Engine(), Cancel()
    proxy: Any = interruptible(engine, cancel)  # type: ignore[arg-type]
    if early:
        connection = engine.ours
        cancel.cancel()
        cancel.waits_on(connection)
    else:
        connection, _ = proxy.exec_start("e", False)
        cancel.cancel()
    connection.settimeout(PATIENCE)
    assert connection.recv(1) == b""


def test_every_line_and_every_count_is_a_place_between_two_steps() -> None:
    steps: list[Step] = []
    cancel = Cancel()
    tell, count = lines(steps.append, cancel), counted(steps.append, cancel, "attempts")
    tell("a")
    count(1, 2)
    count(2, 2)
    assert steps == [Step("a"), Step("1 of 2 attempts", True), Step("", True)]
    cancel.cancel()
    with pytest.raises(Cancelled):
        count(1, 2)
    tell("cleaned up")


def test_never_is_never() -> None:
    never().check()
