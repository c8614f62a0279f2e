"""The kinds of things to prune: one file each, with `find(engine, environ)`.

`find` yields each thing of its kind that has our label and the name that we give it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.operations.prune.entry import Entry


def entries(engine: Engine, environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield all entries, kind by kind, to be freed at once: this may leave things of a later kind unused.

    :raises EnvironmentFailure: the engine does not answer
    """
    modules: list[Any] = [import_module(f"{__name__}.{name}") for name in _names()]
    for module in sorted(modules, key=lambda module: module.ORDER):
        yield from module.find(engine, environ)


def _names() -> list[str]:
    folder = os.path.dirname(__file__)
    return sorted(n[:-3] for n in os.listdir(folder) if n.endswith(".py") and not n.startswith("_"))
