"""The agents that can be started, and the sessions on a project with their present state."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from sandboxd import terminal
from sandboxd.agents import catalog, run, session
from sandboxd.cli import agent_attended, agent_board, agent_work
from sandboxd.cli.agent_attended import resuming, way_back
from sandboxd.cli.agent_board import Row
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_OK, SandboxdError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.cli.agent_work import Work
    from sandboxd.engine.client import Engine

UNKNOWN = "unknown"
"""The state of a sandbox where the engine could not be asked."""

_NOT_CREATED = "not created"


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
    sessions = session.of_project(os.environ, project)
    if sessions:
        _show_board(sessions)
    terminal.status("`sandboxd agent NAME` starts one on a copy of this project")
    return EXIT_OK


def _show_board(sessions: Sequence[Session]) -> None:
    engine = _engine()
    print()
    for line in agent_board.lines((_row(engine, own) for own in sessions), time.time()):
        print(line)
    for own in sessions:
        last = run.last(own)
        if last is not None and last.is_interrupted:
            terminal.entry(own.name, f"was interrupted: {_way_back(own)}")
    terminal.status(
        "`sandboxd review --name SESSION` shows what one changed, also while it is at work"
    )


def _row(engine: Engine | None, own: Session) -> Row:
    state, last = _state(engine, own), run.last(own)
    log = _log(own) if state == "running" else None
    work = _work(own) if state in ("running", _NOT_CREATED) else None
    return Row(
        own.name,
        own.agent,
        run.state(last),
        last.since if last is not None else None,
        len(work.files) if work is not None else None,
        work.commits if work is not None else None,
        sum(row["outcome"] == "denied" for row in log["rows"]) if log is not None else None,
        len(log["questions"]) if log is not None else None,
    )


def _work(own: Session) -> Work | None:
    """The changes in the copy of a session that runs, or that was kept at its end; None if they cannot be read.

    A stopped sandbox would be started for it, which a list does not do.
    """
    try:
        return agent_work.read(agent_attended.here(own, []).collect())
    except SandboxdError:
        return None


def _engine() -> Engine | None:
    """The engine of this user's environment; None if there is none."""
    from sandboxd.engine.client import connect_from

    with contextlib.suppress(SandboxdError):
        return connect_from(os.environ)
    return None


def _way_back(own: Session) -> str:
    try:
        return way_back(own, catalog.of_session(own, os.environ))
    except SandboxdError as error:
        return error.hint


def document(project: str) -> dict[str, Any]:
    """The lists of agents and sessions as JSON data, each session with its state.

    `since` is when its agent began, in seconds since 1970, null where none is at work; `interrupted` says that the end
    of its last run was not seen, and `resume` is the command that goes on. `state` is that of its sandbox, `denied`
    what its gateway let nobody reach, null where nothing was recorded; its texts are hostile. An agent that cannot be
    read has `problem`.
    """
    sessions = session.of_project(os.environ, project)
    engine = _engine() if sessions else None
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
    """Where the agent's program comes from, in words: the versions of its packages, or the image."""
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
        return resuming(own, catalog.of_session(own, os.environ))
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
    return containers[0].state if containers else _NOT_CREATED


def denied(own: Session) -> list[dict[str, Any]] | None:
    """The names that the gateway of a session denied, each with the command that allows it; None if no log is known."""
    log = _log(own)
    return _denied(log) if log is not None else None


def network(own: Session) -> tuple[list[dict[str, Any]], str]:
    """The names that the gateway of a session denied, and in words how many bytes were sent by it; empty where nobody
    knows.
    """
    from sandboxd.egress import words
    from sandboxd.egress.traffic import Carried
    from sandboxd.status.names_text import in_words

    log = _log(own)
    if log is None:
        return [], ""
    carried = log["carried"]
    if carried is None:
        return _denied(log), words.NOT_COUNTED
    return _denied(log), in_words(tuple(Carried(**each) for each in carried))


def _denied(log: dict[str, Any]) -> list[dict[str, Any]]:
    keys = ("name", "port", "words", "times", "command")
    rows = [row for row in log["rows"] if row["outcome"] == "denied"]
    return [{key: row[key] for key in keys} for row in rows]


def _log(own: Session) -> dict[str, Any] | None:
    """The record of a session's gateway; None where none answers."""
    options = {"name": own.name, "action": "log", "arguments": {}}
    try:
        log: dict[str, Any] = operate("egress", own.project, options)
    except SandboxdError:
        return None
    return log if log["is_running"] else None
