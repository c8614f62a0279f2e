"""The workspace at work: one file and one function for each thing that can be done with a sandbox.

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
    """A module of this folder that the daemon runs for a command, or the command itself without a daemon."""

    NEEDS_FACTS: bool
    """Whether the daemon is to wait until it knows the host, so that the operation need not look."""

    def serve(self, request: Request) -> object:
        """Run it; the result is made of named tuples, lists and plain values, for `wire.encode`.

        :raises InvalidParams: an option has the wrong type
        :raises SandboxdError: it failed
        """


def names() -> list[str]:
    """Names of the modules and packages that may be operations."""
    folder = os.path.dirname(__file__)
    return sorted(
        name.removesuffix(".py")
        for name in os.listdir(folder)
        if not name.startswith("_")
        and (name.endswith(".py") or os.path.exists(os.path.join(folder, name, "__init__.py")))
    )


def load(name: str) -> Operation | None:
    """The operation `name`, one of `names()`; None for a module that is not asked for by its name."""
    module: object = import_module(f"{__name__}.{name}")
    return module if isinstance(module, Operation) else None
