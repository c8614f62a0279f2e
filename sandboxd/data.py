"""Where the shipped data lives: in a wheel below `sandboxd/_data`, in a checkout at the top level."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def data_path(*parts: str) -> str:
    """Absolute path of a shipped file or folder, e.g. ``data_path("profiles", "seccomp")``.

    `importlib.resources` costs 26 ms of CPU at import, more than the whole of `sandboxd status`.
    """
    shipped = os.path.join(_PACKAGE, "_data", *parts)
    if os.path.exists(shipped):
        return shipped
    return os.path.join(os.path.dirname(_PACKAGE), *parts)
