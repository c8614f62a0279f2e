"""Saves which groups of host names a project's files select, when its sandbox starts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.state import chosen_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sandboxd.project import Project


@contextlib.contextmanager
def hold(environ: Mapping[str, str], project: Project) -> Iterator[Callable[[], None]]:
    """Save the groups before the sandbox runs, since it could change the files; discarded again if the block fails.

    The value is to be called under the project's lock before the sandbox runs: it saves the same groups again if an end
    that was waited for has discarded them.

    :raises EnvironmentFailure: they cannot be written
    """
    groups = _of_start(environ, project)
    is_new = False

    def save() -> None:
        nonlocal is_new
        is_new = _save(environ, project.sandbox, groups) or is_new

    save()
    try:
        yield save
    except BaseException:
        if is_new:
            chosen_groups.forget(environ, project.sandbox)
        raise


def keep(environ: Mapping[str, str], project: Project) -> bool:
    """Save the groups that the files select now, unless some are saved already; return whether this call saved them.

    :raises EnvironmentFailure: they cannot be written
    """
    return _save(environ, project.sandbox, _of_start(environ, project))


def _of_start(environ: Mapping[str, str], project: Project) -> Iterable[str]:
    """The groups of hosts saved at the last start; if none are saved, those that the project's files select now."""
    saved = chosen_groups.recall(environ, project.sandbox)
    return project.chosen_groups() if saved is None else saved


def _save(environ: Mapping[str, str], sandbox: str, groups: Iterable[str]) -> bool:
    """Save `groups` as `keep` does."""
    try:
        return chosen_groups.keep(environ, sandbox, groups)
    except OSError as error:
        raise EnvironmentFailure(
            "the choice of names cannot be kept in the state folder: "
            f"{(error.strerror or 'an error').lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None
