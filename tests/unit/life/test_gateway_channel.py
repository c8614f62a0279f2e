"""The host's end of the control channel: frames become lines, lines become events."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd import deadline
from sandboxd.egress.messages import Event
from sandboxd.errors import EnvironmentFailure
from sandboxd.life.gateway_channel import Channel, attach
from tests.patience import PATIENCE


def frame(text: str, stream: int = 1) -> bytes:
    data = text.encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def line(**fields: object) -> str:
    return json.dumps({"seq": 1, "time": 0.0, **fields}) + "\n"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours and the gateway's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def names(channel: Channel) -> list[str]:
    return [event["event"] for event in channel.events(PATIENCE)]


def test_events_come_in_whatever_pieces(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    whole = frame(line(event="ready")) + frame(line(event="host")[:9]) + frame("")
    whole += frame(line(event="host")[9:] + line(event="state"))
    first, rest = whole[:3], whole[3:]

    def send() -> None:
        for byte in rest:
            theirs.sendall(bytes([byte]))
        theirs.close()

    thread = threading.Thread(target=send)
    thread.start()
    assert names(Channel(ours, first)) == ["ready", "host", "state"]
    thread.join()


def test_what_came_with_the_answer_is_read_first(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    channel = Channel(ours, frame(line(event="ready")))
    theirs.close()
    assert names(channel) == ["ready"]


@pytest.mark.parametrize(
    "text",
    [
        "not json\n",
        "[]\n",
        '{"event": "ready"}\n',
        '{"event": 1, "seq": 1}\n',
        '{"event": "ready", "seq": "1"}\n',
        "[" * 100_000 + "\n",
        "x" * (2 << 20) + "\n",
    ],
)
def test_a_line_that_is_no_event_is_passed_over(
    text: str, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends

    def send() -> None:
        theirs.sendall(frame(text) + frame(line(event="host")))
        theirs.close()

    thread = threading.Thread(target=send)
    thread.start()
    assert names(Channel(ours)) == ["host"]
    thread.join()


def test_a_command_is_one_line_whatever_was_left_before_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    Channel(ours).send({"op": "events", "after": 7, "mark": "x"})
    assert theirs.recv(100) == b'\n{"op":"events","after":7,"mark":"x"}\n'


def test_the_last_words_of_a_gateway_that_ended_are_told(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.sendall(frame("Traceback:\nPermission", 2) + frame("Error: no\n", 2))
    theirs.close()
    with pytest.raises(
        EnvironmentFailure, match="the gateway ended: Traceback: PermissionError: no"
    ):
        Channel(ours).wait_for(lambda event: event)


def test_silence_is_an_error_and_not_a_wait_for_ever(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, _theirs = ends

    def never(_event: Event) -> None:
        return None

    with pytest.raises(EnvironmentFailure, match="does not answer"):
        Channel(ours).wait_for(never, 0.05)


@pytest.mark.parametrize(
    ("sandbox", "whose", "option"),
    [("", "", ""), ("/home/ann/shop", " of `shop`", ""),
     ("/home/ann/shop//login", " of `shop/login`", " --name login")],
)  # fmt: skip
def test_one_that_does_not_answer_is_named_with_the_commands_for_its_sandbox(
    ends: tuple[socket.socket, socket.socket], sandbox: str, whose: str, option: str
) -> None:
    ours, theirs = ends
    channel = Channel(ours, sandbox=sandbox)
    with pytest.raises(EnvironmentFailure) as silent:
        channel.wait_for(lambda event: event, 0.05)
    assert silent.value.message == f"the gateway{whose} does not answer: waited 0.05 s"
    assert f"`sandboxd down{option}`, then `sandboxd up{option}`" in (silent.value.hint or "")
    theirs.close()
    with pytest.raises(EnvironmentFailure) as ended:
        channel.wait_for(lambda event: event)
    assert f"`sandboxd up{option}`" in (ended.value.hint or "")


def test_an_answer_that_came_while_the_machine_stood_still_has_come_in_time(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = ends
    times = iter([0.0, 100.0, 200.0])
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: next(times, 300.0)))
    theirs.sendall(frame(line(event="ready")))
    assert Channel(ours).wait_for(lambda event: event, 5.0)["event"] == "ready"
    with pytest.raises(EnvironmentFailure, match="does not answer"):
        Channel(ours).wait_for(lambda event: event, -5.0)


def test_a_command_to_a_gateway_that_is_gone_says_so(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.close()
    with pytest.raises(EnvironmentFailure, match="the gateway ended"):
        for _ in range(3):
            Channel(ours).send({"op": "state"})


def test_closing_wakes_whoever_reads(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, _theirs = ends
    channel = Channel(ours)
    wakeups: list[str] = []
    thread = threading.Thread(target=lambda: wakeups.extend(e["event"] for e in channel.events()))
    thread.start()
    channel.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_running_gateway_of_podman_is_reached_by_a_command_in_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Podman closes the standard input of a container with the first end that leaves."""
    ours, theirs = ends
    prepared: list[tuple[str, Any]] = []

    def prepare(container: str, request: Any) -> str:
        prepared.append((container, request))
        return "e1"

    engine: Any = SimpleNamespace(
        is_podman=lambda: True,
        exec_create=prepare,
        exec_start=lambda _id, tty: (ours, frame(line(event="state"))),
    )
    channel = attach(engine, "c1", "/w")
    theirs.close()
    assert names(channel) == ["state"]
    ((container, request),) = prepared
    assert (container, request.user, request.stdin) == ("c1", "65532", True)
    assert request.command[-1] == "--control"
