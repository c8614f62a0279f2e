"""Finds symbolic links that a sandbox left in a workspace's `.git` and through which git on the host would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import overlaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine, Summary


def could_write(engine: Engine, container: Summary, workspace: str) -> bool:
    """Whether `container` can write `workspace` itself, and not only a copy of it."""
    try:
        return workspace in overlaps.writable_folders(engine.inspect(container.id))
    except failures.ContainerGone:
        return False
    except EnvironmentFailure:
        # One that hangs is to be ended all the same, and looked after.
        return True


def say(workspace: str, progress: Callable[[str], None]) -> None:
    """Report each such link. To be called when no program inside can create another one.

    :param progress: called with each line for the user
    """
    from sandboxd.plan.git_links import MOST_AT_AN_END, git_links
    from sandboxd.plan.git_on_host import words_of_links

    links = git_links(workspace, MOST_AT_AN_END)
    for why, fix in words_of_links(links.links):
        progress(why)
        progress(f"  hint: {fix}")
    if not links.complete:
        progress(f"not checked: `.git` for links, behind its first {MOST_AT_AN_END} entries")
        progress("  hint: `find .git -type l` lists those that git on the host writes through")
