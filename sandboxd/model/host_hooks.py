"""Commands of a repository that tools on the host run automatically: at a commit, or when a folder is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class HostCommand(NamedTuple):
    """One command that a tool runs on the host.

    `occasion` says when, in words to put behind "runs": ``before each commit``.
    """

    command: Value[str]
    occasion: str


class HostHooks(NamedTuple):
    """The commands in one tool's file; `tool` is the tool's common name."""

    path: str
    tool: str
    commands: tuple[HostCommand, ...]
