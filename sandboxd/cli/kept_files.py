"""`review --kept` and `review --restore PATH`: the files that are kept for seven days, and the way to have one back."""

from __future__ import annotations

import os
import time

from sandboxd import terminal
from sandboxd.config.reading import nearest
from sandboxd.errors import EXIT_OK, UsageError
from sandboxd.model.sandbox_id import sandbox_id, workspace_of
from sandboxd.sync import restoring
from sandboxd.sync.journal import turn_of
from sandboxd.sync.place import place_of
from sandboxd.sync.retention import DAYS, Retention


def sandbox_of(directory: str, name: str) -> str:
    """The identity of the sandbox `name` of the project in which a folder lies."""
    config = nearest(directory)
    return sandbox_id(os.path.realpath(os.path.dirname(config) if config else directory), name)


def run(directory: str, name: str, path: str, option: str) -> int:
    """Restore the last version of the file `path`, or list all that are kept; returns the exit code.

    :param name: the sandbox's name; '' for the unnamed one
    :param path: relative to the project's folder; '' to list
    :param option: the options by which the proposed command means the same sandbox
    :raises UsageError: no such file is kept
    :raises EnvironmentFailure: it cannot be written
    """
    sandbox = sandbox_of(directory, name)
    workspace, place = workspace_of(sandbox), place_of(os.environ, sandbox)
    folder = place.retention
    retention = Retention(folder) if os.path.isdir(folder) else None
    records = retention.records() if retention is not None else ()
    if not path:
        for record in reversed(records):
            assert retention is not None
            day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.time))
            print(terminal.one_line(f"{day}  {record.path}  {retention.file(record)}"))
        if records:
            terminal.status(
                f"`sandboxd review{option} --restore PATH` writes the last version of a file"
            )
        else:
            terminal.verdict(f"nothing was removed or overwritten in the last {DAYS} days")
        return EXIT_OK
    last = next((each for each in reversed(records) if each.path == path), None)
    if last is None:
        raise UsageError(
            f"no version of `{path}` is kept",
            f"`sandboxd review{option} --kept` lists those that are",
        )
    assert retention is not None
    # A comparison would take its temporary file for one that a killed run left, and put that away.
    with turn_of(place.journal):
        written = restoring.restore(workspace, last, retention.file(last))
    terminal.status(f"written: `{written}`")
    return EXIT_OK
