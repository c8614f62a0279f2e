"""Write to the user's audit record, from every part of the program.

What weakens a sandbox or gives it more is recorded before it is done, and is not done unless it could be
(`require`). Everything else goes on without (`note`), and the caller says that it was not recorded; a command that
was for nothing else ends with that (`unrecorded`)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from sandboxd.audit.entry import Kind
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.folders import state_folder
from sandboxd.host.login import login_name


def folder(environ: Mapping[str, str]) -> str:
    """The folder of this user's record."""
    return os.path.join(state_folder(environ), "audit")


def require(environ: Mapping[str, str], kind: Kind, project: str, **facts: Any) -> None:
    """Record what is about to be done.

    :param project: the project's folder; '' for none
    :param facts: JSON values; never a secret
    :raises RecordFailure: it cannot be recorded, so it must not be done
    """
    Record(folder(environ)).append(kind, project, login_name(), facts, time.time())


def note(environ: Mapping[str, str], kind: Kind, project: str, **facts: Any) -> str:
    """Record what was done or seen; returns '', or why it could not be recorded, in words for a person."""
    try:
        require(environ, kind, project, **facts)
    except RecordFailure as failure:
        return f"not recorded: {failure.message}"
    return ""


def unrecorded(problem: str) -> EnvironmentFailure:
    """The error of a command that did what it was asked for, without its entry.

    :param problem: as `note` returned it
    """
    return EnvironmentFailure(
        f"it is done, and {problem}", "make room there, or correct what the record's folder has"
    )
