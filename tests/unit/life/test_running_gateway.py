"""What a gateway told before, though others are attached to it, too."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from sandboxd.egress.ledger import Ledger
from sandboxd.egress.messages import Event
from sandboxd.errors import EnvironmentFailure
from sandboxd.life.gateway_channel import Channel
from sandboxd.life.running_gateway import past
from tests.unit.life.test_gateway_channel import frame, line


def denied(number: int, name: str) -> str:
    return line(
        event="denied", seq=number, name=name, port=443, door="dns", reason="no-rule", rule="", count=1
    )  # fmt: skip


def answers(*lines: str, mark: str | None = None) -> tuple[Event, ...]:
    """What is read of a gateway that writes `lines`, then the end of the answer."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        asked = json.loads(theirs.recv(1 << 16))
        last = line(event="replayed", seq=99, mark=asked["mark"] if mark is None else mark)
        theirs.sendall(b"".join(map(frame, [*lines, last])))
        theirs.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with Channel(ours) as channel:
            return past(channel)
    finally:
        thread.join()


def test_what_happens_meanwhile_hides_nothing_of_before() -> None:
    events = answers(
        denied(7, "meanwhile.test"), denied(1, "first.test"), denied(2, "second.test"),
        denied(7, "meanwhile.test"),
    )  # fmt: skip
    assert [event["seq"] for event in events] == [1, 2, 7, 99]
    ledger = Ledger()
    ledger.take(events)
    assert ledger.totals.denied == 3


def test_the_answer_to_somebody_else_is_not_the_own_one() -> None:
    others = line(event="replayed", seq=3, mark="of another reader")
    assert len(answers(others, denied(1, "first.test"))) == 3
    with pytest.raises(EnvironmentFailure, match="the gateway ended"):
        answers(denied(1, "first.test"), mark="of another reader")
