"""Commands of a repository that tools run on the host by themselves: at a commit, when a folder is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class HostCommand(NamedTuple):
    """`occasion` says when it runs, in words that follow "runs": ``before each commit``."""

    command: Value[str]
    occasion: str


class HostHooks(NamedTuple):
    """A file of such a tool: `tool` is its name as people know it."""

    path: str
    tool: str
    commands: tuple[HostCommand, ...]
