"""The agents that can be started, and the sessions on a project with their present state."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from sandboxd.agents import catalog, run, session
from sandboxd.cli import terminal
from sandboxd.cli.agent_attended import resuming, way_back
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_OK, SandboxdError

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.engine.client import Engine

UNKNOWN = "unknown"
"""The state of a sandbox where the engine could not be asked."""


def show(project: str) -> int:
    """List the agents, and the sessions on `project`."""
    listed = catalog.names(os.environ)
    width = max(len(name) for name in listed)
    for name in listed:
        agent = catalog.load(name, os.environ)
        label = terminal.paint(f"{name:<{width}}", terminal.BOLD)
        print(
            f"{label}  {terminal.one_line(agent.title)}  {terminal.one_line(_origin(agent, '`'))}"
        )
    for own in session.of_project(os.environ, project):
        terminal.status(f"session `{own.name}` of `{own.agent}`{_words(own)}")
    terminal.status("`sandboxd agent NAME` starts one on a copy of this project")
    return EXIT_OK


def _words(own: Session) -> str:
    last = run.last(own)
    if last is not None and last.is_attended:
        return f", at work: `sandboxd review --name {own.name}` shows what it changed so far"
    return f"{' was interrupted' if last is not None and last.is_interrupted else ''}: {_way_back(own)}"


def _way_back(own: Session) -> str:
    try:
        return way_back(own, catalog.load(own.agent, os.environ))
    except SandboxdError as error:
        return error.hint


def document(project: str) -> dict[str, Any]:
    """The same as data, with what is seen of each session.

    `since` is when its agent began, in seconds since 1970, null where none is at work; `interrupted` says that the end
    of its last run was not seen, and `resume` is the command that goes on. `state` is that of its sandbox, `denied`
    what its gateway let nobody reach, null where nothing was recorded; its texts are hostile. An agent that cannot be
    read has `problem`.
    """
    from sandboxd.engine.client import connect_from

    sessions = session.of_project(os.environ, project)
    engine: Engine | None = None
    if sessions:
        with contextlib.suppress(SandboxdError):
            engine = connect_from(os.environ)
    return {
        "version": 1,
        "project": project,
        "agents": [_agent(name) for name in catalog.names(os.environ)],
        "sessions": [_session(engine, own) for own in sessions],
    }


def _agent(name: str) -> dict[str, Any]:
    try:
        agent = catalog.load(name, os.environ)
    except SandboxdError as error:
        return {"name": name, "title": name, "origin": "", "resumes": False, "problem": str(error)}
    return {
        "name": name,
        "title": agent.title,
        "origin": _origin(agent),
        "resumes": bool(agent.commands.resume),
        "problem": None,
    }


def _origin(agent: Agent, quote: str = "") -> str:
    """The versions of its packages, or that the image has it."""
    versions = ", ".join(dict.fromkeys(each.version for each in agent.packages))
    return versions or f"{quote}{agent.program}{quote} of the image"


def _session(engine: Engine | None, own: Session) -> dict[str, Any]:
    state, last = _state(engine, own), run.last(own)
    return {
        "name": own.name,
        "agent": own.agent,
        "since": last.since if last is not None and last.is_attended else None,
        "interrupted": last is not None and last.is_interrupted,
        "resume": _resuming(own),
        "state": state,
        "denied": denied(own) if state == "running" else None,
    }


def _resuming(own: Session) -> str | None:
    try:
        return resuming(own, catalog.load(own.agent, os.environ))
    except SandboxdError:
        return None


def _state(engine: Engine | None, own: Session) -> str:
    from sandboxd.life import find
    from sandboxd.model.sandbox_id import sandbox_id

    if engine is None:
        return UNKNOWN
    try:
        containers = find.sandboxes_of_up(engine, sandbox_id(own.project, own.name))
    except SandboxdError:
        return UNKNOWN
    return containers[0].state if containers else "not created"


def denied(own: Session) -> list[dict[str, Any]] | None:
    """What the gateway of a session let nobody reach, each with the command that allows it; None: nobody knows."""
    options = {"name": own.name, "action": "log", "arguments": {}}
    try:
        log = operate("egress", own.project, options)
    except SandboxdError:
        return None
    if not log["is_running"]:
        return None
    keys = ("name", "port", "words", "times", "command")
    rows = [row for row in log["rows"] if row["outcome"] == "denied"]
    return [{key: row[key] for key in keys} for row in rows]
