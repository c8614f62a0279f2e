"""Stores the last command of each sandbox that failed, with the end of its output, for `sandboxd why`."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailedCommand(NamedTuple):
    """A command that ended with another exit code than 0. Times in seconds since 1970."""

    sandbox: str
    """The sandbox's identity."""
    directory: str
    """The folder on the host from which it was run."""
    command: tuple[str, ...]
    exit_code: int
    output: str
    """The end of its output, without terminal sequences: hostile text, and perhaps a secret that it printed."""
    began: float
    ended: float
    user: str = ""
    """The user that was asked for; '' for the sandbox's own."""


def keep(environ: Mapping[str, str], failed: FailedCommand) -> None:
    """Store a command in place of the last one of its sandbox. Where that is not possible, nothing is stored."""
    path = _path(environ, failed.sandbox)
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, json.dumps(failed._asdict()).encode(), synced=False)


def forget(environ: Mapping[str, str], sandbox: str) -> None:
    """Remove the command of a sandbox."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, sandbox))


def recall(environ: Mapping[str, str], sandbox: str) -> FailedCommand | None:
    """The last command of a sandbox that failed; None where there is none."""
    try:
        record = json.loads(read_source(_path(environ, sandbox)).text)
        failed = FailedCommand(
            str(record["sandbox"]),
            str(record["directory"]),
            tuple(str(word) for word in record["command"]),
            int(record["exit_code"]),
            str(record["output"]),
            float(record["began"]),
            float(record["ended"]),
            str(record["user"]),
        )
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    return failed if failed.sandbox == sandbox else None


def _path(environ: Mapping[str, str], sandbox: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "failed"), sandbox, ".json")
