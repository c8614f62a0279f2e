"""Names of files in output."""

from __future__ import annotations


def shown(path: str, cwd: str) -> str:
    """`path` relative to `cwd` where it is below it, else as it is."""
    folder = cwd.rstrip("/") + "/"
    return path[len(folder) :] if cwd and path.startswith(folder) else path
