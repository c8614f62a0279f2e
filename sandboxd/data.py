"""Finds the shipped data: in a wheel below `sandboxd/_data`, in a checkout at the top level."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def data_path(*parts: str) -> str:
    """The absolute path of a shipped file or folder, e.g. ``data_path("profiles", "seccomp")``.

    It does without `importlib.resources`, whose import costs 26 ms, more than the whole of `sandboxd status`.
    """
    shipped = os.path.join(_PACKAGE, "_data", *parts)
    if os.path.exists(shipped):
        return shipped
    return os.path.join(os.path.dirname(_PACKAGE), *parts)


def walk_data(folder: str) -> Iterator[str]:
    """Yield the path of every shipped file below `folder`.

    The `__pycache__` folders that installers make for Python samples are left out.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            yield os.path.join(parent, name)


def tables(*parts: str) -> Iterator[dict[str, Any]]:
    """Yield the content of each TOML file in the shipped folder `parts`, in the order of the files' names."""
    import tomllib

    folder = data_path(*parts)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".toml"):
            with open(os.path.join(folder, name), "rb") as file:
                yield tomllib.load(file)
