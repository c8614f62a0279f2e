"""Finds the workspace to which a folder belongs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from sandboxd.agents import run
from sandboxd.agents.session import Session, names_of, recall
from sandboxd.config.reading import nearest
from sandboxd.errors import SandboxdError


class AgentSession(NamedTuple):
    """The session of an agent, as its files say.

    `since` is when the agent began, or ended, in seconds since 1970; None if it was never started.
    """

    name: str
    agent: str
    state: run.State
    since: float | None


def folders_above(folder: str) -> Iterator[str]:
    """Yield `folder` as a real path, then each folder above it except the root."""
    path = os.path.realpath(folder)
    while (parent := os.path.dirname(path)) != path:
        yield path
        path = parent


def workspace_of_folder(
    folder: str, environ: Mapping[str, str], known: Collection[str] = ()
) -> str | None:
    """The folder of the nearest sandboxd.toml; if there is none, the nearest folder that is in `known` or has agents'
    sessions; None if there is none.

    A project needs no config for agents, as each session has its own.
    """
    config = nearest(folder)
    if config is not None:
        return os.path.realpath(os.path.dirname(config))
    above = folders_above(folder)
    return next((path for path in above if path in known or any(_recorded(environ, path))), None)


def sessions(environ: Mapping[str, str], workspace: str) -> tuple[AgentSession, ...]:
    """The agents' sessions on `workspace`, by name; one whose record cannot be read is left out."""
    return tuple(_with_run(own) for own in _recorded(environ, workspace))


def _recorded(environ: Mapping[str, str], workspace: str) -> Iterator[Session]:
    for name in names_of(environ, workspace):
        try:
            own = recall(environ, workspace, name)
        except SandboxdError:
            continue
        if own is not None:
            yield own


def _with_run(own: Session) -> AgentSession:
    last = run.last(own)
    since = last.since if last is not None else None
    return AgentSession(own.name, own.agent, run.state(last), since)
