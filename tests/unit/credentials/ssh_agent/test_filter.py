"""A client inside speaks with the filter as with an agent: it lists, signs, and can do nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.agent import read_message
from sandboxd.credentials.ssh_agent.filter import Filter
from sandboxd.credentials.ssh_agent.verdict import Verdict
from sandboxd.credentials.ssh_agent.wire import string
from tests.patience import PATIENCE
from tests.unit.credentials.ssh_agent.clients import (
    CHOSEN,
    FOREIGN_KEY,
    HOST_KEY,
    StubAgent,
    bind,
    choice,
    rights,
    sign,
)


class Client:
    def __init__(self, agent: StubAgent, *without: str) -> None:
        """:param without: what of the choice the sandbox may not have"""
        self.reports: list[Verdict] = []
        self._socket, end = socket.socketpair()
        self._socket.settimeout(PATIENCE)
        served = Filter(choice(agent.path), rights("", *without), self.reports.append)
        self._thread = threading.Thread(target=served.serve, args=(end,), daemon=True)
        self._thread.start()

    def ask(self, number: int, content: bytes = b"") -> tuple[int, bytes] | None:
        self._socket.sendall(wire.message(number, content))
        return read_message(self._socket)

    def close(self) -> None:
        self._socket.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture(params=["truly"])
def agent(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StubAgent]:
    stub = StubAgent(tmp_path, request.param)
    yield stub
    stub.close()


@pytest.fixture
def client(agent: StubAgent) -> Iterator[Client]:
    one = Client(agent)
    yield one
    one.close()


def test_only_chosen_keys_are_listed(client: Client) -> None:
    answer = client.ask(wire.LIST)
    assert answer is not None and answer[0] == wire.IDENTITIES
    assert [each.key for each in wire.identities(answer[1])] == [CHOSEN]


def test_a_key_that_the_sandbox_may_not_have_is_not_listed_and_signs_nothing(
    agent: StubAgent,
) -> None:
    client = Client(agent, wire.fingerprint(CHOSEN))
    answer = client.ask(wire.LIST)
    assert answer is not None and wire.identities(answer[1]) == ()
    client.ask(wire.EXTENSION, wire.bind_content(bind()))
    assert client.ask(wire.SIGN, sign()) == (wire.FAILURE, b"")
    assert [each.why for each in client.reports] == ["the key is none of those that were chosen"]
    client.close()


def test_a_host_that_the_sandbox_may_not_have_is_logged_in_to_by_no_key(agent: StubAgent) -> None:
    client = Client(agent, "forge.test")
    client.ask(wire.EXTENSION, wire.bind_content(bind()))
    assert client.ask(wire.SIGN, sign()) == (wire.FAILURE, b"")
    client.close()


def test_a_login_to_a_bound_host_is_signed_by_the_agent(client: Client) -> None:
    assert client.ask(wire.EXTENSION, wire.bind_content(bind())) == (wire.SUCCESS, b"")
    assert client.ask(wire.SIGN, sign(host_key=None)) == (wire.SIGNATURE, string(b"signed"))
    assert [each.why for each in client.reports] == [""]


@pytest.mark.parametrize("agent", ["never", "always"], indirect=True)
def test_an_agent_that_does_not_look_is_no_witness(client: Client) -> None:
    client.ask(wire.EXTENSION, wire.bind_content(bind()))
    assert client.ask(wire.SIGN, sign(host_key=None)) == (wire.FAILURE, b"")
    assert "nobody verified" in client.reports[0].why
    assert client.ask(wire.SIGN, sign()) == (wire.SIGNATURE, string(b"signed"))


def test_a_lie_about_the_host_is_found_by_the_agent(client: Client) -> None:
    client.ask(wire.EXTENSION, wire.bind_content(bind(signature=b"made up")))
    assert client.ask(wire.SIGN, sign(host_key=None)) == (wire.FAILURE, b"")


def test_a_session_is_named_once(client: Client, agent: StubAgent) -> None:
    assert client.ask(wire.EXTENSION, wire.bind_content(bind(FOREIGN_KEY))) == (wire.SUCCESS, b"")
    assert client.ask(wire.EXTENSION, wire.bind_content(bind())) == (wire.FAILURE, b"")
    assert client.ask(wire.SIGN, sign()) == (wire.FAILURE, b"")
    assert wire.SIGN not in agent.asked


@pytest.mark.parametrize("number", [0, 1, 17, 18, 19, 20, 22, 23, 25, 26, 255])
def test_whatever_else_an_agent_can_do_is_refused(
    client: Client, agent: StubAgent, number: int
) -> None:
    assert client.ask(number, string(CHOSEN)) == (wire.FAILURE, b"")
    assert client.ask(wire.EXTENSION, string(b"query")) == (wire.FAILURE, b"")
    assert agent.asked == []


def test_what_is_no_message_ends_the_client(client: Client) -> None:
    assert client.ask(wire.SIGN, b"\xff\xff\xff\xff") is None


@pytest.mark.parametrize("host_key", [None, HOST_KEY])
def test_an_agent_that_was_started_anew_signs(
    client: Client, agent: StubAgent, host_key: bytes | None
) -> None:
    assert client.ask(wire.LIST) is not None
    agent.end_connections()
    assert client.ask(wire.EXTENSION, wire.bind_content(bind())) == (wire.SUCCESS, b"")
    agent.end_connections()
    agent.asked.clear()
    signed = client.ask(wire.SIGN, sign(host_key=host_key))
    assert signed == (wire.SIGNATURE, string(b"signed"))
    assert agent.asked == [wire.EXTENSION, wire.SIGN], "it knows the session as that of before did"
    assert [each.why for each in client.reports] == [""]


def test_an_agent_that_ends_at_once_is_not_asked_for_ever(client: Client, agent: StubAgent) -> None:
    client.ask(wire.EXTENSION, wire.bind_content(bind()))
    agent.close()
    Path(agent.path).unlink()
    agent.end_connections()
    assert client.ask(wire.SIGN, sign()) == (wire.FAILURE, b"")
    assert client.reports[0].why == "your agent does not answer"


def test_without_the_agent_there_is_no_signature(client: Client, agent: StubAgent) -> None:
    agent.close()
    Path(agent.path).unlink()
    client.ask(wire.EXTENSION, wire.bind_content(bind()))
    assert client.ask(wire.LIST) == (wire.FAILURE, b"")
    assert client.ask(wire.SIGN, sign()) == (wire.FAILURE, b"")
    assert client.reports[0].why == "your agent does not answer"
