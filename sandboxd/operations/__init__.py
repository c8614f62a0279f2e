"""What a user can do with a sandbox: one file and one function for each operation.

Plain arguments go in, a typed result comes out; nothing is printed. The command line, the language
server and the daemon call the same function, so that all of them do the same.

A module with `serve` is an operation that a command asks for by the module's name: see `request.Operation`. A
command declares its arguments by types of this folder, so this file imports nothing slow.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.operations.request import Operation


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
    from importlib import import_module

    from sandboxd.operations.request import Operation

    module: object = import_module(f"{__name__}.{name}")
    return module if isinstance(module, Operation) else None
