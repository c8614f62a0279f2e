"""A connection to the user's own SSH agent."""

from __future__ import annotations

import socket

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.wire import Bind, Identity, Malformed

SECONDS = 120.0
"""The time limit, since an agent may ask its user, or wait for a touch, before it signs."""


class Agent:
    """One connection to the agent's socket.

    :raises OSError: there is no agent, or it does not answer
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(SECONDS)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def ask(self, number: int, content: bytes = b"") -> tuple[int, bytes]:
        """Send a message; return the number and the content of the answer.

        :raises OSError: there is no answer
        :raises Malformed: the answer is not a valid message
        """
        self._socket.sendall(wire.message(number, content))
        answer = read_message(self._socket)
        if answer is None:
            raise ConnectionError("the agent ended")
        return answer

    def identities(self) -> tuple[Identity, ...]:
        """The agent's public keys; raises as `ask`."""
        number, content = self.ask(wire.LIST)
        return wire.identities(content) if number == wire.IDENTITIES else ()

    def verifies(self, claim: Bind) -> bool:
        """Whether the agent verified the host's signature of the session; raises as `ask`.

        False for an agent that also accepts a wrong signature, as it verifies none.
        """
        number, _ = self.ask(wire.EXTENSION, wire.bind_content(claim))
        if number != wire.SUCCESS:
            return False
        wrong = claim._replace(signature=claim.signature[:-1] + bytes([claim.signature[-1] ^ 1]))
        other = Agent(self._path)
        try:
            number, _ = other.ask(wire.EXTENSION, wire.bind_content(wrong))
        finally:
            other.close()
        return number != wire.SUCCESS


def read_message(connection: socket.socket) -> tuple[int, bytes] | None:
    """Read the next message; return its number and its content, or None at the end of the stream.

    :raises OSError: the connection breaks
    :raises Malformed: it is not a valid message
    """
    head = _read(connection, 4)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < 4 or not 0 < size <= wire.LONGEST_MESSAGE:
        raise Malformed("it has no length, or one that no message has")
    data = _read(connection, size)
    if len(data) < size:
        raise Malformed("it ends within a message")
    return data[0], data[1:]


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data
