"""Say after an agent's run what it changed and was denied, and the next commands, each whole and on a line of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli import agent_list, agent_work
from sandboxd.cli.agent_attended import resuming, way_back
from sandboxd.errors import SandboxdError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.cli.agent_attended import Door, Ended
    from sandboxd.cli.agent_work import Work

_FIRST_LINES = 12
"""The number of changes that are listed."""

_FIRST_DENIED = 5


def conclude(own: Session, agent: Agent, ended: Ended, door: Door) -> None:
    """Print to stderr what the agent changed and the next commands."""
    try:
        work = _work(own, door)
    except SandboxdError as error:
        terminal.status(_ended(agent.title, ended))
        terminal.error(error)
        terminal.status(way_back(own, agent, door.option))
        return
    terminal.status(f"{_ended(agent.title, ended)}; {_counted(work)}")
    for line in work.files[:_FIRST_LINES]:
        terminal.status(f"  {terminal.one_line(line)}")
    if work.files[_FIRST_LINES:]:
        terminal.status(f"  and {len(work.files) - _FIRST_LINES} more")
    chosen = f"--name {own.name}{door.option}"
    for label, text in next_steps(work, chosen, resuming(own, agent, door.option)):
        terminal.entry(label, text)


def _work(own: Session, door: Door) -> Work:
    """What an agent's session changed, with the names that its network denied and the bytes that it sent.

    On a cluster the latter two are empty: the gateway there has a command of its own that tells them.

    :raises SandboxdError: what changed cannot be read
    """
    work = agent_work.read(door.collect())
    # Of a gateway on a cluster its own command tells.
    if door.option:
        return work
    denied, sent = agent_list.network(own)
    return work._replace(denied=denied, sent=sent)


def _ended(title: str, ended: Ended) -> str:
    if ended.is_interrupted:
        return f"{title} was interrupted"
    return f"{title} ended" + (f" with exit code {ended.code}" if ended.code else "")


def _counted(work: Work) -> str:
    text = f"{terminal.count(len(work.files), 'file')} changed in its copy"
    if not work.commits:
        return text
    more = " or more" if work.commits == agent_work.MOST_COMMITS else ""
    return f"{text}, {terminal.count(work.commits, 'commit')}{more} made there"


def next_steps(work: Work, chosen: str, resume: str) -> Iterator[tuple[str, str]]:
    """Labels, and commands or facts.

    :param chosen: the options by which a command means the session
    :param resume: the command that goes on with it
    """
    for row in work.denied[:_FIRST_DENIED]:
        allow = f": `{row['command']}`" if row["command"] else ""
        yield "denied", f"`{row['name']}:{row['port']}`{allow}"
    if left := len(work.denied[_FIRST_DENIED:]):
        yield "denied", f"{left} more: `sandboxd egress log {chosen}`"
    if work.sent:
        yield "sent", work.sent
    if work.files or work.has_bundle:
        yield "look", f"`sandboxd review {chosen} --diff`"
    if work.files:
        yield "bring files", f"`sandboxd review {chosen} --apply`"
    if work.commits != 0:
        yield "bring commits", f"`sandboxd review {chosen} --save`"
    yield "go on", f"`{resume}`"
    yield "end it", f"`sandboxd down {chosen}`"
