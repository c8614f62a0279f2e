"""The two things done to a project's files, in a thread: look at them, generate from them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.host.facts import HostFacts
from sandboxd.ipc import messages
from sandboxd.status.combine import Examined
from sandboxd.status.examine import examine

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of one change. `written` are paths relative to the workspace."""

    examined: Examined
    written: tuple[str, ...] = ()
    failure: str = ""
    """Why nothing could be written although the config is fine."""


def generate(path: str, environ: Mapping[str, str], facts: HostFacts) -> Outcome:
    """Write what the project's config asks for, where it differs; never raises."""
    examined = examine(path, environ, facts)
    if not examined.exists or examined.asked is None:
        return Outcome(examined)
    from sandboxd.project import Project

    try:
        written = Project.open(path, environ).generate(facts)
    except SandboxdError as error:
        return Outcome(examined._replace(problem=error.message, hint=error.hint), (), error.message)
    except Exception as error:
        log.exception("generating `%s` failed", path)
        message = f"bug in sandboxd: {type(error).__name__}: {error}"
        hint = "`sandboxd daemon logs` shows where"
        return Outcome(examined._replace(problem=message, hint=hint), (), message)
    names = tuple(item.path for item in written if item.changed)
    return Outcome(examined._replace(stale=False), names)


def event(path: str, outcome: Outcome, milliseconds: float) -> messages.Event:
    """The outcome as listeners are told of it."""
    if outcome.failure:
        return {"kind": "failed", "path": path, "message": outcome.failure}
    examined = outcome.examined
    if examined.exists and examined.asked is None:
        text = f"{examined.problem}; the last good files stay"
        return {"kind": "invalid", "path": path, "message": text, "milliseconds": milliseconds}
    kind: Literal["regenerated", "unchanged"] = "regenerated" if outcome.written else "unchanged"
    files = list(outcome.written)
    return {"kind": kind, "path": path, "files": files, "milliseconds": milliseconds}
