"""What a client of an agent says, and an agent that answers it."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.agent import read_message
from sandboxd.credentials.ssh_agent.choice import Choice, Host
from sandboxd.credentials.ssh_agent.wire import Bind, Identity, string
from sandboxd.policy.rights import KeyRights

CHOSEN, OTHER = b"public key of the choice", b"another public key"
HOST_KEY, FOREIGN_KEY = b"key of the forge", b"key of another host"
SESSION = b"s" * 32
TRUE_SIGNATURE = b"the host's signature"


def choice(path: str = "") -> Choice:
    return Choice(path, (wire.fingerprint(CHOSEN),), (Host("forge.test", (HOST_KEY,)),))


def rights(container: str = "", *without: str) -> KeyRights:
    """Rights to the whole choice but for `without`."""
    return KeyRights(container, choice().words - {*without})


def bind(
    host_key: bytes = HOST_KEY, session: bytes = SESSION, signature: bytes = TRUE_SIGNATURE,
    is_forwarding: bool = False,
) -> Bind:  # fmt: skip
    return Bind(host_key, session, signature, is_forwarding)


def sign(
    key: bytes = CHOSEN,
    session: bytes = SESSION,
    host_key: bytes | None = HOST_KEY,
    service: bytes = b"ssh-connection",
    kind: int = 50,
    has_signature: bool = True,
    inner_key: bytes | None = None,
    more: bytes = b"",
) -> bytes:
    """The content of a `SIGN` for a login; without `host_key` in the form that names no host."""
    method = b"publickey" if host_key is None else b"publickey-hostbound-v00@openssh.com"
    data = string(session) + bytes([kind]) + string(b"git") + string(service) + string(method)
    data += bytes([has_signature]) + string(b"ssh-ed25519") + string(inner_key or key)
    data += b"" if host_key is None else string(host_key)
    return string(key) + string(data + more) + bytes(4)


class StubAgent:
    """Has two keys, signs whatever it is asked to, and verifies hosts as `verifies` says."""

    def __init__(self, folder: Path, verifies: str = "truly") -> None:
        """:param verifies: ``truly``, ``never`` (it does not know how) or ``always`` (it does not look)"""
        self.path = str(folder / "agent")
        self.asked: list[int] = []
        self._verifies = verifies
        self._connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def end_connections(self) -> None:
        """End those that are open, as an agent that is started anew."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while (request := read_message(connection)) is not None:
                self.asked.append(request[0])
                connection.sendall(wire.message(*self._answer(*request)))

    def _answer(self, number: int, content: bytes) -> tuple[int, bytes]:
        if number == wire.LIST:
            keys = (Identity(OTHER, b"other"), Identity(CHOSEN, b"chosen"))
            return wire.IDENTITIES, wire.identities_content(keys)
        if number == wire.EXTENSION:
            claim = wire.bind(content)
            assert claim is not None
            is_true = claim.signature == TRUE_SIGNATURE
            is_taken = self._verifies == "always" or (self._verifies == "truly" and is_true)
            return (wire.SUCCESS if is_taken else wire.FAILURE), b""
        return wire.SIGNATURE, string(b"signed")
