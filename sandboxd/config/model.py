"""A `sandboxd.toml` that was read: each value with the place where it was written."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from sandboxd.findings import Place

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


class WorkspaceWishes(NamedTuple):
    """`[workspace]`: None where the profile, or what was found on disk, decides.

    `layout` is ``bind``, the host's folder itself, or ``clone``, a private copy of it; `hot` are
    folders, relative to the workspace, to be kept in memory; `shared_volumes` are named volumes
    that are not the project's alone.
    """

    layout: Setting[str] | None = None
    hot: tuple[Setting[str], ...] | None = None
    shared_volumes: tuple[Setting[str], ...] = ()


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
    digest: str = ""
    """Identity of the bytes that were read; '' when there is no file."""
    wishes: WorkspaceWishes = WorkspaceWishes()
