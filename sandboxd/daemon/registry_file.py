"""The file that remembers the projects across restarts: TOML that a person can read and repair."""

from __future__ import annotations

import datetime
import logging
import os
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import decode, read_bytes, write_private
from sandboxd.folders import state_folder
from sandboxd.ipc.messages import ENGINE_VARIABLES
from sandboxd.toml_output import document

_LARGEST = 16 * 1024 * 1024
_MOST_ASIDE = 20

_COMMENT = """\
The projects that sandboxd's daemon knows. It writes this file anew whenever one comes or goes: end it
(`sandboxd daemon stop`) before you change something here.
`keeps = false`: only looked at, nothing is written there. `missing_since`: when its folder went away."""

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """The projects in the file.

    `problem` says, for a person, what could not be used and where it is now; '' for no problem. `may_write` is False
    when a broken file could not be moved away, so that it must not be overwritten.
    """

    projects: list[Tracked]
    problem: str = ""
    may_write: bool = True


class Entry(NamedTuple):
    """One project as it is written to the file; made on the event loop, written in a thread."""

    path: str
    engine: EngineKey
    keeps: bool
    missing_since: float | None


def registry_path(environ: Mapping[str, str]) -> str:
    """The path of the file that stores this user's registered projects."""
    return os.path.join(state_folder(environ), "projects.toml")


def load(path: str) -> Loaded:
    """Read the file. A damaged one is copied to another name, and its valid entries are used."""
    if not os.path.lexists(path):
        _mention_old_file(path)
        return Loaded([])
    projects: list[Tracked] = []
    reasons: list[str] = []
    try:
        entries = tomllib.loads(decode(read_bytes(path, _LARGEST))).get("projects", [])
        if not isinstance(entries, list):
            raise ValueError("`projects` is not a list of tables")
        for number, item in enumerate(entries, 1):
            try:
                projects.append(_project(item))
            except ValueError as error:
                reasons.append(f"project {number}: {error}")
    except UnreadableError as error:
        reasons = [error.message]
    except (ValueError, RecursionError) as error:
        reasons = [str(error)]
    if not reasons:
        return Loaded(projects)
    try:
        aside = _set_aside(path)
    except OSError as error:
        text = f"`{path}` cannot be used ({reasons[0]}), nor moved aside: {error.strerror or error}"
        log.error("%s; projects are not remembered", text)
        return Loaded(projects, text, may_write=False)
    text = f"`{path}` cannot be used as it is ({reasons[0]}); it is kept as `{aside}`"
    log.error("%s; %d projects of it are used", text, len(projects))
    return Loaded(projects, text)


def save(path: str, entries: Iterable[Entry]) -> str:
    """Write `entries` to the file; returns '', or why that failed."""
    tables = []
    for entry in entries:
        table: dict[str, Any] = {"path": entry.path}
        for name, value in entry.engine.variables().items():
            table[name.lower()] = value
        if not entry.keeps:
            table["keeps"] = False
        if entry.missing_since is not None:
            table["missing_since"] = datetime.datetime.fromtimestamp(
                int(entry.missing_since), datetime.UTC
            )
        if _is_utf8(table):
            tables.append(table)
        else:
            log.warning("`%s` is not remembered: its path is not UTF-8", ascii(entry.path))
    try:
        write_private(path, document({"version": 1, "projects": tables}, _COMMENT))
    except EnvironmentFailure as error:
        return error.message
    except OSError as error:
        return f"cannot write `{path}`: {(error.strerror or str(error)).lower()}"
    return ""


def _project(item: object) -> Tracked:
    """:raises ValueError: it is not one"""
    if not isinstance(item, dict):
        raise ValueError("it is not a table")
    path = item.get("path")
    engine = {name: item[name.lower()] for name in ENGINE_VARIABLES if name.lower() in item}
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise ValueError("`path` is not an absolute path")
    if not all(isinstance(value, str) for value in engine.values()):
        raise ValueError("an engine is not a string")
    project = Tracked(path, EngineKey.of(engine), item.get("keeps") is not False)
    missing = item.get("missing_since")
    if isinstance(missing, datetime.datetime):
        project.missing_since = missing.timestamp()
    elif missing is not None:
        raise ValueError("`missing_since` is not a date and time")
    return project


def _set_aside(path: str) -> str:
    """Move `path` to a free name beside it; returns that name.

    :raises OSError: it cannot be moved
    """
    for number in range(_MOST_ASIDE):
        aside = f"{path}.bad{number or ''}"
        if not os.path.lexists(aside):
            break
    os.rename(path, aside)
    return aside


def _mention_old_file(path: str) -> None:
    old = os.path.join(os.path.dirname(path), "projects.json")
    if os.path.lexists(old):
        log.warning(
            "`%s` is of an older version and is not read: `sandboxd daemon start` in a project's folder"
            " adds it again",
            old,
        )


def _is_utf8(table: Mapping[str, Any]) -> bool:
    try:
        "".join(text for text in table.values() if isinstance(text, str)).encode()
    except UnicodeEncodeError:
        return False
    return True
