"""The daemon's log: private, and never larger than a few megabytes."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler

from sandboxd.daemon.paths import state_folder

_BYTES = 1024 * 1024
_KEPT = 3


def log_path(environ: Mapping[str, str]) -> str:
    """The file that is written to now; older ones end in `.1` to `.3`."""
    return os.path.join(state_folder(environ), "daemon.log")


def open_log(environ: Mapping[str, str], *, to_stderr: bool) -> None:
    """Log into the file, and for `daemon run` in a terminal to stderr as well."""
    path = log_path(environ)
    handlers: list[logging.Handler] = []
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handlers.append(RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT))
        os.chmod(path, 0o600)
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
    # They log whole messages, and with them what is in the user's files.
    for name in ("pygls", "asyncio", "watchfiles"):
        logging.getLogger(name).setLevel(logging.WARNING)
