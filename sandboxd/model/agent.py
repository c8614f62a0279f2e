"""Settings of a repository for the AI agents that open it: programs, questions, destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class Program(NamedTuple):
    """A program that an agent starts on the machine that it runs on.

    `occasion` says when, in words that follow "runs": ``when a session starts``. `command` is the
    command as one reads it; the nodes of the value are the whole entry, so that removing it leaves
    nothing half.
    """

    kind: Literal["hook", "helper", "server"]
    occasion: str
    command: Value[str]
    name: str = ""
    """Of an MCP server or a plug-in."""
    wrapped: tuple[tuple[Value[str], str], ...] = ()
    """The texts that would make it run in the sandbox, each with the value whose place it takes."""


class Switch(NamedTuple):
    """A setting that switches a guard off; `effect` says so in words that follow the setting's name."""

    value: Value[object]
    effect: str
    is_total: bool
    """Whether nothing is left of the guard."""


class Destination(NamedTuple):
    """An address that an agent's data is sent to, other than its maker's own."""

    value: Value[str]
    data: str
    """In words that follow "gets": ``every prompt and the key``."""


class AgentConfig(NamedTuple):
    """The settings in one file for one agent: `agent` is its name as people know it."""

    path: str
    agent: str
    programs: tuple[Program, ...] = ()
    questions: tuple[Switch, ...] = ()
    """Settings by which it no longer asks."""
    sandbox: tuple[Switch, ...] = ()
    """Settings that widen the agent's own sandbox."""
    destinations: tuple[Destination, ...] = ()
    variables: tuple[Value[str], ...] = ()
    """Variables and headers with their texts; the key of each is its origin's."""
    asks_for_servers: bool = True
    """Whether the agent asks a person before it starts a server of the repository."""
    is_inside: bool = False
    """Whether what it names acts in the container that the file describes, and not on the host."""


class Instructions(NamedTuple):
    """A text that agents follow; `hidden` are the parts that a person does not see."""

    path: str
    hidden: tuple[Value[str], ...]
