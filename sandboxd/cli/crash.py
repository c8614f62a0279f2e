"""The report that a bug in sandboxd leaves behind, so that a user need not copy a traceback."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback

from sandboxd import __version__


def write_report(argv: list[str], error: Exception) -> str | None:
    """Write the report to a new private file and return its path, None when that fails."""
    lines = [
        f"sandboxd {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
        f"command: sandboxd {' '.join(argv)}",
        "",
        *traceback.format_exception(error),
    ]
    try:
        descriptor, path = tempfile.mkstemp(prefix="sandboxd-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines))
    except OSError:
        return None
    return path
