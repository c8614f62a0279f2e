"""A connection to an API server that breaks off is made anew, once, for each question."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.errors import EnvironmentFailure

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    b'{"gitVersion": "v1"}'
)


class Server:
    """Answers so many requests of each connection, then reads one more and cuts it."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.requests: list[int] = []
        """Of each connection, how many came."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.requests.append(0)
            with connection:
                while self._request(connection):
                    self.requests[-1] += 1
                    if self.requests[-1] > self.answers:
                        break
                    connection.sendall(ANSWER)

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            piece = connection.recv(4096)
            if not piece:
                return b""
            text += piece
        return text


@pytest.fixture
def connect() -> Iterator[Callable[[Server], Cluster]]:
    servers: list[Server] = []
    clusters: list[Cluster] = []

    def make(server: Server) -> Cluster:
        servers.append(server)
        address = "http://{}:{}".format(*server.listener.getsockname())
        clusters.append(Cluster(Context("team", "shop", {"server": address}, {}, ""), {}))
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.close()
    for server in servers:
        server.listener.close()


def test_a_kept_connection_that_was_cut_is_made_anew(connect: Callable[[Server], Cluster]) -> None:
    server = Server(answers=2)
    cluster = connect(server)
    for _ in range(5):
        assert cluster.text("/version", "tell its version") == {"gitVersion": "v1"}
    assert server.requests == [3, 3, 1]


def test_a_server_that_cuts_each_connection_is_asked_twice(
    connect: Callable[[Server], Cluster],
) -> None:
    server = Server(answers=0)
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        connect(server).text("/version", "tell its version")
    assert server.requests == [1, 1]
