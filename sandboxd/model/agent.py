"""Settings in a repository for the AI agents that open it: programs to start, questions to skip, destinations of
data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class Program(NamedTuple):
    """A program that an agent starts on the machine on which it runs.

    `occasion` says when, in words to put behind "runs": ``when a session starts``. `command` is the readable command;
    the nodes of the value cover the whole entry, so that an edit can remove it completely.
    """

    kind: Literal["hook", "helper", "server"]
    occasion: str
    command: Value[str]
    name: str = ""
    """The name of an MCP server or a plug-in; '' for others."""
    wrapped: tuple[tuple[Value[str], str], ...] = ()
    """The edits that would make it run in the sandbox: each value with the text that replaces it."""
    may_refuse: bool = False
    """Whether it is a hook whose answer may keep the agent from something."""


class Switch(NamedTuple):
    """A setting that switches a safety check off; `effect` says so, as a predicate to put behind the setting's name."""

    value: Value[object]
    effect: str
    is_total: bool
    """Whether the check is then off completely."""


class Destination(NamedTuple):
    """An address, other than the agent maker's own, to which an agent's data is sent."""

    value: Value[str]
    data: str
    """The data, in words to put behind "gets": ``every prompt and the key``."""


class AgentConfig(NamedTuple):
    """The settings for one agent in one file; `agent` is the agent's common name."""

    path: str
    agent: str
    programs: tuple[Program, ...] = ()
    questions: tuple[Switch, ...] = ()
    """Settings that make the agent stop asking for permission."""
    sandbox: tuple[Switch, ...] = ()
    """Settings that loosen the agent's own sandbox."""
    destinations: tuple[Destination, ...] = ()
    variables: tuple[Value[str], ...] = ()
    """Values of environment variables and HTTP headers; the name of each is the key of its origin."""
    asks_for_servers: bool = True
    """Whether the agent asks its user before it starts an MCP server that the repository names."""
    is_inside: bool = False
    """Whether the settings take effect in the container that the file describes, not on the host."""


class Instructions(NamedTuple):
    """A text that agents follow; `hidden` are the parts that a human reader does not see."""

    path: str
    hidden: tuple[Value[str], ...]
