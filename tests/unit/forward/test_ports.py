"""Ports as people write them, who has one, and what listens inside."""

from __future__ import annotations

import errno
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.forward import listening, local, ports
from sandboxd.forward.ports import Wish
from tests.ports import free_port

TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 71 1 0
   1: 0B00007F:8E6B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 72 1 0
   2: 0100007F:0BB9 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 73 1 0
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 74
"""
DESCRIPTORS = """\
/proc/12/fd:
total 0
lrwx------ 1 dev dev 64 Jan  1 00:00 3 -> socket:[71]
/proc/13/fd:
lrwx------ 1 dev dev 64 Jan  1 00:00 5 -> socket:[99]
"""
NAMES = "/proc/12/comm:node: x\n/proc/13/comm:other\n"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("3000", Wish(3000, 3000)),
        ("3000:80", Wish(3000, 80)),
        ("db:5432", Wish(5432, 5432, service="db")),
        ("DB:5432:15432", Wish(5432, 15432, service="db")),
    ],
)
def test_a_port_and_where_it_is_wanted(text: str, wish: Wish) -> None:
    assert ports.parse(text) == wish


@pytest.mark.parametrize(
    "text",
    ["", "0", "65536", "a", "3000:", ":3000", "1:2:3", "-1", "db:", "db", "db:x", "db:1:2:3", "³"],
)
def test_a_text_that_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no port to forward"):
        ports.parse(text)


def test_listeners_are_read_with_their_programs() -> None:
    text = "-- sandboxd --\n".join((TABLES, DESCRIPTORS, NAMES))
    assert listening.parse(text) == (
        listening.Listener(3000, "node: x"),
        listening.Listener(8080, ""),
    )


@given(st.text())
def test_whatever_the_inside_says_is_read(text: str) -> None:
    assert all(0 <= listener.port <= 65535 for listener in listening.parse(text))


def test_a_taken_port_is_left_for_the_next_where_another_will_do() -> None:
    with free_port() as port:
        with local.listen(Wish(20_000, port)):
            with local.listen(Wish(20_000, port, is_fixed=False)) as other:
                assert port < other.getsockname()[1] <= port + 50
            with pytest.raises(EnvironmentFailure, match=rf"taken by .*\(process {os.getpid()}\)"):
                local.listen(Wish(20_000, port))
        assert local.owner_of(port) == ""


@pytest.mark.parametrize(
    ("address", "is_loopback"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False)]
)
def test_addresses_that_only_this_machine_reaches(address: str, is_loopback: bool) -> None:
    assert local.is_loopback(address) == is_loopback


def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageError, match="is no address"):
        local.is_loopback("localhost")
    with pytest.raises(UsageError, match="cannot be listened on"):
        local.listen(Wish(3000, 0), "192.0.2.1")


def test_a_forwarded_port_listens_for_this_machine_alone() -> None:
    with local.listen(Wish(1, 0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.family == socket.AF_INET


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_that_this_user_may_not_have_is_no_wrong_address(number: int) -> None:
    """bind(2) says the first for a low port, a security module the second."""
    answer = local._reason(OSError(number, "no"), Wish(80, 80), "127.0.0.1")
    assert "this user may not listen on port `80`" in answer.message
    assert "sandboxd forward 80:8080" in answer.hint


def test_a_port_that_the_daemon_has_is_said_to_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """`forwardPorts` of the project has it open already: its owner is not a riddle of a command line."""
    monkeypatch.setattr(
        local, "owner_of", lambda _: "`/usr/bin/python3 -P -m sandboxd daemon run` (process 7)"
    )
    with local.listen(Wish(20000, 20000, False, "")) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailure) as failed:
            local.listen(Wish(3000, number, True, ""))
    assert failed.value.message == (
        f"port `{number}` of this machine is taken by sandboxd's daemon, for `forwardPorts` of a project"
    )
    assert failed.value.hint == (
        "`sandboxd status` names what is open; to choose another one: "
        f"`sandboxd forward 3000:{number + 1}`"
    )
