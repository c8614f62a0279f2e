"""A connection is begun inside, and nobody waits for it."""

from __future__ import annotations

import contextlib
import errno
import socket

import pytest

from sandboxd.inside import ports
from tests.ports import closed_port, free_port


def test_a_server_that_accepts_nothing_is_not_waited_for() -> None:
    with (
        contextlib.ExitStack() as stack,
        socket.create_server(("127.0.0.1", 0), backlog=0) as server,
    ):
        address = server.getsockname()
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.5)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        connection = stack.enter_context(ports.dial(str(address[1])))
        with pytest.raises(OSError, match="not connected"):
            connection.getpeername()


def test_a_port_is_looked_for_at_both_loopback_addresses() -> None:
    with free_port() as port:
        try:
            server = socket.create_server(("::1", port), family=socket.AF_INET6)
        except OSError:
            pytest.skip("this machine has no address `::1`")
        with server, ports.dial(str(port)) as connection:
            assert connection.getpeername()[:2] == ("::1", port)
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        ports.dial(str(port))


@pytest.mark.parametrize("answer", [0, errno.EINPROGRESS, errno.ENETUNREACH])
def test_a_connection_that_has_begun_is_one(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    asked: list[tuple[str, int]] = []

    class Socket(socket.socket):
        def connect_ex(self, address: tuple[str, int]) -> int:  # type: ignore[override]
            assert not self.getblocking()
            asked.append(address)
            return answer

    monkeypatch.setattr(ports.socket, "socket", Socket)
    if answer == errno.ENETUNREACH:
        with pytest.raises(OSError, match="cannot be reached"):
            ports._dial_other("192.0.2.7", 80)
    else:
        ports._dial_other("192.0.2.7", 80).close()
    assert asked == [("192.0.2.7", 80)]
