"""Run an agent for `sandboxd agent`, and say where its end is not seen what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd import terminal
from sandboxd.agents import run, session
from sandboxd.cli import attend
from sandboxd.cli.command_output import CannotRun
from sandboxd.cli.operating import operate
from sandboxd.engine.failures import ContainerGone
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.backends.backend import Collected


class Ended(NamedTuple):
    """The seen end of an agent.

    `code` is its exit code, or 128 plus the number of the signal that interrupted it.
    """

    code: int
    is_interrupted: bool


class Door(NamedTuple):
    """The way to the sandbox of a session: on this machine or on a cluster."""

    option: str
    """The option by which a command means the same cluster; '' for this machine."""
    run: Callable[..., int]
    """Runs the agent with variables, ``NAME=value``, by keywords `tty`, `stdin` and `heard`, which is called with
    each signal that is passed on; its exit code."""
    collect: Callable[[], Collected]
    """The changes in its copy."""


def here(own: Session, command: list[str]) -> Door:
    """The way to a session on this machine."""

    def run_here(env: list[str], *, tty: bool, stdin: bool, heard: Callable[[int], None]) -> int:
        return attend.run(
            own.project, command, name=own.name, tty=tty, stdin=stdin, env=env, heard=heard
        )

    def collect() -> Collected:
        from sandboxd.backends.backend import Collected
        from sandboxd.operations.options import SandboxOptions

        return Collected(**operate("review", own.project, SandboxOptions(name=own.name)))

    return Door("", run_here, collect)


def attend_until_end(
    own: Session, agent: Agent, env: Iterable[str], door: Door, *, has_terminal: bool
) -> Ended:
    """Run the agent until it ends.

    One that is interrupted may say that all went well, and may leave processes: its run counts as interrupted, so
    the next one looks for them.

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
        signals: list[int] = []
        code = door.run(variables, tty=tty, stdin=has_terminal, heard=signals.append)
    except CannotRun:
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
    if signals:
        return Ended(128 + signals[-1], is_interrupted=True)
    run.end(own)
    return Ended(code, is_interrupted=False)


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
