"""What a user can do with a sandbox: one file and one function for each operation.

Plain arguments go in, a typed result comes out; nothing is printed. The command line, the language
server and the daemon call the same function, so that all of them do the same.

A module with `serve` is an operation that a command asks for by the module's name: see `Operation`.
"""

from __future__ import annotations

import os
from importlib import import_module
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


def names() -> list[str]:
    """Names of the modules and packages of this folder that may be operations."""
    folder = os.path.dirname(__file__)
    return sorted(
        name.removesuffix(".py")
        for name in os.listdir(folder)
        if not name.startswith("_")
        and (name.endswith(".py") or os.path.exists(os.path.join(folder, name, "__init__.py")))
    )


def load(name: str) -> Operation | None:
    """The operation `name`, one of `names()`; None if the module has no `serve`."""
    module: object = import_module(f"{__name__}.{name}")
    return module if isinstance(module, Operation) else None
