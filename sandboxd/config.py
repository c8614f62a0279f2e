"""`sandboxd.toml`: what a project asks for, read strictly, every value with its place.

A key that is not known, or a value of the wrong type, yields no config at all: a misspelt
restriction must not silently be none.
"""

from __future__ import annotations

import os
from typing import Generic, NamedTuple, TypeVar

from sandboxd.findings import Place

FILE_NAME = "sandboxd.toml"

T = TypeVar("T")


class Setting(NamedTuple, Generic[T]):
    """A value and where it was written; `place` is None for a default."""

    value: T
    place: Place | None = None


class Allow(NamedTuple):
    """A rule that the project accepts findings of, and why; `expires` is an ISO date or None."""

    rule: str
    reason: str
    expires: str | None
    place: Place


class Config(NamedTuple):
    """`path` is the file's path as it is shown, None when there is no file."""

    path: str | None
    workspace: str
    profile: Setting[str] = Setting("dev")
    runtime: Setting[str] = Setting("auto")
    image: Setting[str] | None = None
    user: Setting[str] | None = None
    capabilities: tuple[Setting[str], ...] = ()
    network: Setting[str] | None = None
    environment: tuple[Setting[tuple[str, str]], ...] = ()
    allow: tuple[Allow, ...] = ()
    rules: tuple[Setting[tuple[str, str]], ...] = ()


def default(workspace: str) -> Config:
    """The config of a workspace that has no `sandboxd.toml`."""
    return Config(None, workspace)


def nearest(start: str) -> str | None:
    """Path of the `sandboxd.toml` in `start` or the closest folder above it."""
    folder = os.path.abspath(start)
    while True:
        candidate = os.path.join(folder, FILE_NAME)
        if os.path.lexists(candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
