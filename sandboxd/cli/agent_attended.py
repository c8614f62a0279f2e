"""Run an agent for `sandboxd agent`, and say at its end, or where that is not seen, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.agents import run, session
from sandboxd.cli import attend, terminal
from sandboxd.cli.operating import operate
from sandboxd.engine.failures import ContainerGone
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.operations.review import Collected

_FIRST_LINES = 12
"""Of the changes, after an agent has ended."""


class Door(NamedTuple):
    """The way to the sandbox of a session: on this machine or on a cluster."""

    option: str
    """The option by which a command means the same cluster; '' for this machine."""
    run: Callable[..., int]
    """Runs the agent with variables, ``NAME=value``, by keywords `tty` and `stdin`; its exit code."""
    collect: Callable[[], Collected]
    """The changes in its copy."""


def here(own: Session, command: list[str]) -> Door:
    """The way to a session on this machine."""

    def run_here(env: list[str], *, tty: bool, stdin: bool) -> int:
        return attend.run(own.project, command, name=own.name, tty=tty, stdin=stdin, env=env)

    def collect() -> Collected:
        from sandboxd.operations.review import Collected

        return Collected(**operate("review", own.project, {"name": own.name}))

    return Door("", run_here, collect)


def attend_until_end(
    own: Session, agent: Agent, env: Iterable[str], door: Door, *, has_terminal: bool
) -> int:
    """Run the agent until it ends; its exit code.

    :param env: variables beside those of the container, ``NAME=value``
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
        variables = [*attend.terminal_variables(tty), *env, mark]
        code = door.run(variables, tty=tty, stdin=has_terminal)
    except attend.CannotRun:
        run.end(own)
        raise
    except SandboxdError as error:
        back = way_back(own, agent, door.option)
        is_gone = isinstance(error, ContainerGone) or not error.hint
        error.hint = back if is_gone else f"{error.hint}; then {back}"
        raise
    except KeyboardInterrupt:
        terminal.status(f"{agent.title} may go on inside; {way_back(own, agent, door.option)}")
        raise
    run.end(own)
    return code


def way_back(own: Session, agent: Agent, option: str = "") -> str:
    """The commands that continue or end an interrupted session, as a sentence."""
    resume = resuming(own, agent, option)
    return f"`{resume}` goes on with its work, `sandboxd review --name {own.name}{option}` shows it"


def resuming(own: Session, agent: Agent, option: str = "") -> str:
    """The command that continues a session.

    :param option: of its cluster; '' for this machine
    """
    start = session.start_command(sandbox_id(own.project, own.name), own.agent)
    return f"{start}{option}{' --resume' if agent.commands.resume else ''}"


def conclude(own: Session, agent: Agent, code: int, door: Door) -> None:
    """Print to stderr what the agent changed and the next commands."""
    from sandboxd.operations.review import reviewed
    from sandboxd.review import patch

    chosen = f"--name {own.name}{door.option}"
    ended = f"{agent.title} ended" + (f" with exit code {code}" if code else "")
    try:
        with reviewed(door.collect()) as review:
            items, bundle = review.items, review.changes.bundle
            lines = [patch.summary(item) for item in items]
    except SandboxdError as error:
        terminal.status(ended)
        terminal.error(error)
        terminal.status(way_back(own, agent, door.option))
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
    terminal.status(
        f"go on: `{resuming(own, agent, door.option)}`; end its sandbox: `sandboxd down {chosen}`"
    )
