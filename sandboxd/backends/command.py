"""A command that runs in a sandbox, as whoever attends to it sees it. Imports nothing: for type checkers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandboxd.errors import SandboxdError


class Stream(Protocol):
    """A connected socket, of `socket`, `_socket` or `ssl`."""

    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class Attended(Protocol):
    """A command that was begun, by the daemon or by a backend in this process."""

    @property
    def connection(self) -> Stream:
        """The connection: bytes of a terminal, else pieces with a head of eight bytes (stream, size)."""

    @property
    def first(self) -> bytes:
        """Output that came together with the engine's answer."""

    def resize(self, rows: int, columns: int) -> None: ...
    def kill(self, number: int) -> None: ...
    def exit_code(self) -> int: ...

    def close(self) -> None:
        """Close the connection, and end what this process does for it; the command may go on."""

    def halt_error(self) -> SandboxdError | None:
        """The error that says that its sandbox was halted meanwhile, so that it does not go on; None while it does."""
