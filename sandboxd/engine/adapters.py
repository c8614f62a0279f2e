"""Transports of the docker SDK's session: by a Unix socket, by TCP with or without TLS, by ssh."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from docker.transport import UnixHTTPAdapter
from docker.transport.basehttpadapter import BaseHTTPAdapter
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from sandboxd.engine import ssh
from sandboxd.engine.address import Address

_CONNECTIONS = 10
# moby's client looks every 30 s whether the other machine is there; else a stream of events from
# one that was switched off stays "open" for ever. It counts as gone after a minute.
_KEEPALIVE_SECONDS = 30
_PROBE_SECONDS, _PROBES = 10, 3


class UnixAdapter(UnixHTTPAdapter):  # type: ignore[misc]
    """The SDK's adapter for Unix sockets, with one connection pool.

    The SDK makes a pool for each URL, so that no connection would be reused.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"http+unix://{path}", max_pool_size=_CONNECTIONS)

    def get_connection(self, *_: Any) -> Any:
        return super().get_connection("http+docker://localhost")


class TcpAdapter(HTTPAdapter):
    """TCP with keepalive.

    :param tls: decides alone which certificates are trusted, not the library's bundle; None for no TLS
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._context = tls
        super().__init__(pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        options["socket_options"] = [*HTTPConnection.default_socket_options, *keepalive()]
        if self._context is not None:
            options["ssl_context"] = self._context
        super().init_poolmanager(*arguments, **options)

    def build_connection_pool_key_attributes(self, request: Any, *_: Any) -> Any:
        return super().build_connection_pool_key_attributes(request, verify=True)[0], {}

    def cert_verify(self, *_: Any) -> None:
        """Load no further certificates: the TLS context has all that count."""


class SshAdapter(BaseHTTPAdapter):  # type: ignore[misc]
    """A connection pool in which every connection is an `ssh` process.

    :param agent: the path of an ssh agent's socket, '' for none
    """

    def __init__(self, address: Address, agent: str) -> None:
        super().__init__()
        self._pool = _SshPool(address, agent)

    def get_connection(self, *_: Any) -> Any:
        return self._pool

    def request_url(self, request: Any, _: object) -> Any:
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()


class _SshPool(HTTPConnectionPool):
    def __init__(self, address: Address, agent: str) -> None:
        super().__init__("localhost", maxsize=_CONNECTIONS)
        self._address = address
        self._agent = agent

    def _new_conn(self) -> Any:
        return _SshHttpConnection(self._address, self._agent)


class _SshHttpConnection(HTTPConnection):
    def __init__(self, address: Address, agent: str) -> None:
        super().__init__("localhost")
        self._address = address
        self._agent = agent

    def connect(self) -> None:
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        self.sock = self._dialled = ssh.dial(self._address, self._agent, timeout)

    def getresponse(self) -> Any:
        # http.client closes the socket where nothing comes; `ssh` says why before that.
        self._dialled.settimeout(self.timeout)
        if not _begins(self._dialled) and (reason := self._dialled.reason()):
            raise reason
        return super().getresponse()


def _begins(connection: socket.socket) -> bool:
    """Whether there is an answer.

    :raises TimeoutError: nothing came in time
    """
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except ConnectionError:
        return False


def keepalive() -> list[tuple[int, int, int]]:
    """Socket options with which a connection to a machine that no longer answers ends after a minute."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    # macOS has no TCP_KEEPIDLE: there the first probe is after two hours.
    for name, value in (
        ("TCP_KEEPIDLE", _KEEPALIVE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options
