"""The workspace that a folder belongs to, for callers that ask what runs there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from sandboxd.agents.session import of_project
from sandboxd.config.reading import nearest
from sandboxd.errors import SandboxdError


def folders_above(folder: str) -> Iterator[str]:
    """`folder` as a real path, then each folder above it but the root."""
    path = os.path.realpath(folder)
    while (parent := os.path.dirname(path)) != path:
        yield path
        path = parent


def workspace_of_folder(
    folder: str, environ: Mapping[str, str], known: Collection[str] = ()
) -> str | None:
    """The folder of the nearest sandboxd.toml, else the nearest folder that is `known` or has agents' sessions.

    A project needs no config of its own for agents: each session has one.
    """
    config = nearest(folder)
    if config is not None:
        return os.path.realpath(os.path.dirname(config))
    above = folders_above(folder)
    return next((path for path in above if path in known or sessions(environ, path)), None)


def sessions(environ: Mapping[str, str], workspace: str) -> tuple[str, ...]:
    """The names of the agents' sessions on `workspace`; those whose record cannot be read are left out."""
    try:
        return tuple(own.name for own in of_project(environ, workspace))
    except SandboxdError:
        return ()
