"""Commands of a repository that tools run on the host by themselves: at a commit, when a folder is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class HostCommand(NamedTuple):
    """One command that a tool runs on the host.

    `occasion` says when, in words that follow "runs": ``before each commit``.
    """

    command: Value[str]
    occasion: str


class HostHooks(NamedTuple):
    """The commands in a file of one tool; `tool` is its name as people know it."""

    path: str
    tool: str
    commands: tuple[HostCommand, ...]
