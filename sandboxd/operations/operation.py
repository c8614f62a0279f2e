"""What a module of this folder has that is an operation of the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from sandboxd.operations.request import Request


@runtime_checkable
class Operation(Protocol):
    """An operation's module, run by the daemon for a command, or by the command itself where no daemon runs."""

    NEEDS_FACTS: bool
    """Whether the daemon waits until it has examined the host, and passes what it found to the operation."""

    def serve(self, request: Request) -> object:
        """Run the operation and return its result: named tuples, lists and plain values, which `wire.encode` can
        encode.

        :raises InvalidParams: an option has the wrong type
        :raises SandboxdError: the operation failed
        """
