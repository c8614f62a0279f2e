"""Credentials on their way to a gateway: what is sent, whose answer counts, and what a refusal says."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials, credentials_from_json
from sandboxd.errors import EnvironmentFailure
from sandboxd.life.gateway import set_credentials
from sandboxd.life.gateway_channel import Channel
from tests.unit.life.test_gateway_channel import frame, line

CREDENTIALS = Credentials(
    (Binding("npm", 8101, "registry.example", 443, "Authorization", "Bearer marked-1"),), "PEM"
)


def answer(*events: dict[str, Any]) -> dict[str, Any]:
    """The command that a gateway is sent which answers with `events`; `MARK` stands for the command's own.

    :raises EnvironmentFailure: as the host's end does
    """
    ours, theirs = socket.socketpair()
    commands: list[dict[str, Any]] = []

    def serve() -> None:
        commands.append(json.loads(theirs.makefile("rb").readlines(2)[-1]))
        for number, event in enumerate(events):
            mark = {"mark": commands[0]["mark"]} if event.get("mark") == "MARK" else {}
            theirs.sendall(frame(line(**{"seq": number, **event, **mark})))
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with Channel(ours) as channel:
            set_credentials(channel, CREDENTIALS)
    finally:
        thread.join()
    return commands[0]


def test_credentials_are_sent_as_the_gateway_reads_them() -> None:
    command = answer({"event": "credentials", "services": [["npm", 8101]], "mark": "MARK"})
    assert command.keys() == {"op", "bindings", "roots", "mark"}
    assert command["op"] == "credentials"
    assert credentials_from_json(command["bindings"], command["roots"]) == CREDENTIALS


def test_the_answer_to_somebody_else_does_not_count() -> None:
    with pytest.raises(EnvironmentFailure, match="the gateway ended"):
        answer({"event": "credentials", "services": [], "mark": "another"})


def test_a_refusal_says_that_none_is_in_force() -> None:
    refused = {"event": "refused", "op": "credentials", "version": 0, "why": "`roots` is no text"}
    with pytest.raises(EnvironmentFailure, match="none is in force: `roots` is no text") as caught:
        answer(refused)
    assert "marked" not in str(caught.value) + caught.value.hint
