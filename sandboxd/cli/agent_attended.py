"""Run an agent for `sandboxd agent`, and say at its end, or where that is not seen, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.agents import run
from sandboxd.cli import attend, terminal
from sandboxd.cli.operating import operate
from sandboxd.engine.failures import ContainerGone
from sandboxd.errors import EnvironmentFailure, SandboxdError

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.operations.agent import ReadyDocument

_FIRST_LINES = 12
"""Of the changes, after an agent has ended."""


def attend_until_end(
    own: Session, agent: Agent, ready: ReadyDocument, *, has_terminal: bool
) -> int:
    """Run the agent until it ends; returns its exit code.

    :raises SandboxdError: its end was not seen; the hint says how to go on
    """
    tty = attend.wants_terminal(allowed=has_terminal)
    try:
        mark = run.begin(own)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write in `{own.folder}`: {(error.strerror or '').lower()}",
            "free some space, then run this again",
        ) from None
    try:
        code = attend.run(
            own.project,
            ready["command"],
            name=own.name,
            tty=tty,
            stdin=has_terminal,
            env=[*attend.terminal_variables(tty), *ready["env"], mark],
        )
    except attend.CannotRun:
        run.end(own)
        raise
    except SandboxdError as error:
        back = way_back(own, agent)
        is_gone = isinstance(error, ContainerGone) or not error.hint
        error.hint = back if is_gone else f"{error.hint}; then {back}"
        raise
    except KeyboardInterrupt:
        terminal.status(f"{agent.title} may go on inside; {way_back(own, agent)}")
        raise
    run.end(own)
    return code


def way_back(own: Session, agent: Agent) -> str:
    """The commands that continue or end an interrupted session, as a sentence."""
    return f"`{resuming(own, agent)}` goes on with its work, `sandboxd review --name {own.name}` shows it"


def resuming(own: Session, agent: Agent) -> str:
    """The command that continues a session."""
    name = f" --name {own.name}" if own.name != own.agent else ""
    return f"sandboxd agent {own.agent}{name}{' --resume' if agent.commands.resume else ''}"


def conclude(own: Session, agent: Agent, code: int) -> None:
    """Print to stderr what the agent changed and the next commands."""
    from sandboxd.operations.review import Collected, reviewed
    from sandboxd.review import patch

    chosen = f"--name {own.name}"
    ended = f"{agent.title} ended" + (f" with exit code {code}" if code else "")
    try:
        with reviewed(Collected(**operate("review", own.project, {"name": own.name}))) as review:
            items, bundle = review.items, review.changes.bundle
            lines = [patch.summary(item) for item in items]
    except SandboxdError as error:
        terminal.status(ended)
        terminal.error(error)
        terminal.status(way_back(own, agent))
        return
    terminal.status(f"{ended}; {terminal.count(len(lines), 'file')} changed in its copy")
    for line in lines[:_FIRST_LINES]:
        terminal.status(f"  {terminal.one_line(line)}")
    if lines[_FIRST_LINES:]:
        terminal.status(f"  and {len(lines) - _FIRST_LINES} more")
    if lines:
        commits = ", as commits `--save`" if bundle is not None else ""
        terminal.status(
            f"look: `sandboxd review {chosen} --diff`; bring it: `--apply` in its place{commits}"
        )
    terminal.status(f"go on: `{resuming(own, agent)}`; end its sandbox: `sandboxd down {chosen}`")
