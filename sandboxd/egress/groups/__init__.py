"""The groups of hosts that ship: one file each, `NAME.toml` beside this one. Adding one is adding a file."""

from __future__ import annotations

import functools
import os

_FOLDER = os.path.dirname(__file__)


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all groups that ship."""
    return tuple(sorted(name[:-5] for name in os.listdir(_FOLDER) if name.endswith(".toml")))


def path(name: str) -> str:
    """The path of the file that describes the group `name`."""
    return os.path.join(_FOLDER, f"{name}.toml")
