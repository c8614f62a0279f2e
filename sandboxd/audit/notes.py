"""Writes to the user's audit record, from every part of the program.

What weakens a sandbox or gives it more is recorded before it is done, and is not done if that fails (`require`).
Everything else goes on without an entry (`note`), and the caller says so; a command whose only work was that ends with
an error (`unrecorded`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from sandboxd.audit.entry import Kind
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import state_folder
from sandboxd.login import login_name


def folder(environ: Mapping[str, str]) -> str:
    """The path of the folder with this user's audit record."""
    return os.path.join(state_folder(environ), "audit")


def require(environ: Mapping[str, str], kind: Kind, project: str, **facts: Any) -> None:
    """Record what is about to be done.

    :param project: the path of the project's folder; '' for none
    :param facts: details as JSON values; never a secret
    :raises RecordFailure: it cannot be recorded, so it must not be done
    """
    Record(folder(environ)).append(kind, project, login_name(), facts, time.time())


def note(environ: Mapping[str, str], kind: Kind, project: str, **facts: Any) -> str:
    """Record what was done or seen; returns '', or for a person why it could not be recorded. Parameters as in
    `require`.
    """
    try:
        require(environ, kind, project, **facts)
    except RecordFailure as failure:
        return f"not recorded: {failure.message}"
    return ""


def unrecorded(problem: str) -> EnvironmentFailure:
    """The error for a command that did its work, but could not record it.

    :param problem: as `note` returned it
    """
    return EnvironmentFailure(
        f"it is done, and {problem}", "make room there, or correct what the record's folder has"
    )
