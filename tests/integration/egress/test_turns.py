"""A client that keeps the gateway busy does not keep it from its commands."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from sandboxd.egress.layout import PROXY_PORT
from sandboxd.egress.policy import Policy
from tests.integration.egress.namespaces import PLACE
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import POLICY, Workspace, goes_on
from tests.patience import eventually

PIECES = b"1\r\nx\r\n" * 10_000
HEAD = b"POST http://open.example/ HTTP/1.1\r\nHost: open.example\r\nTransfer-Encoding: chunked\r\n\r\n"


def upload_in_small_pieces(sock: socket.socket) -> None:
    """More than the gateway can parse, without an end."""
    sock.sendall(HEAD)
    sent = 0
    while True:
        sent = (sent + sock.send(PIECES[sent:])) % len(PIECES)


@contextlib.contextmanager
def uploads(workspace: Workspace, count: int) -> Iterator[None]:
    """`count` clients that send all the time."""
    socks = [workspace.tcp(PLACE.gateway, PROXY_PORT) for _ in range(count)]

    def run(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            upload_in_small_pieces(sock)

    threads = [threading.Thread(target=run, args=(sock,), daemon=True) for sock in socks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for sock in socks:
            sock.close()


def test_a_policy_is_taken_up_beside_clients_that_always_have_data_ready(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock, uploads(workspace, 8):
        assert goes_on(sock)
        until_busy(program)
        program.set(Policy(), cut=True)
        assert not goes_on(sock)


def until_busy(program: Program) -> None:
    """Waits until they have cost the gateway some time of its processor."""

    def spent() -> int:
        user, system = Path(f"/proc/{program.process.pid}/stat").read_text().split()[13:15]
        return int(user) + int(system)

    begun, half_a_second = spent(), os.sysconf("SC_CLK_TCK") // 2
    eventually(lambda: spent() - begun > half_a_second)
