"""Stores the last result of `sandboxd bench -- COMMAND` for each workspace, for `status` and `recommend`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file


class Measurement(NamedTuple):
    """The measured command, and the conclusion for a person; `when` is ISO 8601."""

    workspace: str
    command: str
    conclusion: str
    when: str
    ratio: float | None
    """The command's time in gVisor divided by that in runc; None where one of them was not measured."""


def keep(environ: Mapping[str, str], measurement: Measurement) -> None:
    """Store a measurement in place of the last one of its workspace.

    :raises SandboxdError: it cannot be written
    :raises OSError: its folder cannot be made
    """
    path = _path(environ, measurement.workspace)
    write_private(path, json.dumps(measurement._asdict()).encode())


def recall(environ: Mapping[str, str], workspace: str) -> Measurement | None:
    """The last measurement of `workspace`; None where there is none."""
    try:
        record = json.loads(read_source(_path(environ, workspace)).text)
        measurement = Measurement(
            str(record["workspace"]),
            str(record["command"]),
            str(record["conclusion"]),
            str(record["when"]),
            None if record["ratio"] is None else float(record["ratio"]),
        )
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return measurement if measurement.workspace == workspace else None


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "bench"), workspace, ".json")
