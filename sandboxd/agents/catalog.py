"""The known agents: those that ship, and those in `agents/` of the user's config folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.agents import shipped
from sandboxd.agents.agent import of_command, read
from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import decode, read_bytes
from sandboxd.policy.floor import user_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session

_ENDING = ".toml"
_HOST = "host"
"""Table of what an agent that ships reads and keeps on a host: `sandboxd.agent_files` is made from it."""


def own_folder(environ: Mapping[str, str]) -> str:
    """The path of the folder for the user's own agents; it need not exist."""
    return os.path.join(user_folder(environ), "agents")


def names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Names of all agents."""
    try:
        entries = os.listdir(own_folder(environ))
    except OSError:
        entries = []
    own = (name.removesuffix(_ENDING) for name in entries if name.endswith(_ENDING))
    return tuple(sorted({*own, *shipped.names()}))


def load(name: str, environ: Mapping[str, str]) -> Agent:
    """The agent `name`; a file of the user replaces an agent that ships.

    :raises UsageError: there is no such agent, or its file is not valid or can be written by others
    """
    own = os.path.join(own_folder(environ), name + _ENDING)
    if "/" not in name and os.path.lexists(own):
        _refuse_foreign(own)
        return _read(name, own)
    if name in shipped.names():
        return _read(name, shipped.path(name), ships=True)
    listed = ", ".join(f"`{each}`" for each in names(environ))
    raise UsageError(
        f"there is no agent `{name}`",
        f"agents: {listed}; any program of the image: `sandboxd agent NAME -- PROGRAM`",
    )


def of_session(own: Session, environ: Mapping[str, str]) -> Agent:
    """The agent of a session: the program that the user named for it, or the agent that `load` gives.

    :raises UsageError: as `load`
    """
    command = own.choices.command
    return of_command(own.agent, command) if command else load(own.agent, environ)


def _read(name: str, path: str, *, ships: bool = False) -> Agent:
    import tomllib

    try:
        data = tomllib.loads(decode(read_bytes(path)))
        if data.pop(_HOST, None) is not None and not ships:
            raise ValueError(f"`{_HOST}` has no effect in a file of your own: take it out")
        return read(name, data)
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except ValueError as error:
        raise UsageError(
            f"`{path}` describes no agent: {error}", "docs/start-agents.md shows one"
        ) from None


def _refuse_foreign(path: str) -> None:
    """:raises UsageError: others can write what is to be run with the user's credentials"""
    status = os.stat(path)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UsageError(f"`{path}` can be written by others", f"`chmod 600 {path}`, and own it")
