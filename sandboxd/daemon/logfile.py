"""The daemon's log: private, and never larger than a few megabytes."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from sandboxd.folders import state_folder

_BYTES = 1024 * 1024
_OLD_FILES = 3


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner reads, also after it was rotated."""

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags | os.O_NOFOLLOW, 0o600)

        return open(
            self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=private
        )


def log_path(environ: Mapping[str, str]) -> str:
    """The path of the log file that is written to; older files have the same name and end in `.1` to `.3`."""
    return os.path.join(state_folder(environ), "daemon.log")


def open_log(environ: Mapping[str, str], *, to_stderr: bool) -> None:
    """Log into the file, and for `daemon run` in a terminal to stderr as well."""
    path = log_path(environ)
    handlers: list[logging.Handler] = []
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handlers.append(
            _PrivateFile(path, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
        )
    except OSError:
        # A full or read-only disk must not keep the daemon from working.
        to_stderr = True
    if to_stderr:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=logging.INFO,
        handlers=handlers,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    # These libraries log whole messages, which contain the user's files.
    for name in ("pygls", "asyncio", "watchfiles"):
        logging.getLogger(name).setLevel(logging.WARNING)
