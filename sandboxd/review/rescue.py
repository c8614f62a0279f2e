"""Work in a private copy is kept before its sandbox ends: what is in memory would be gone."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.review import bundles, collect, weigh
from sandboxd.review import streams as kept_streams
from sandboxd.review.changes import NotWhole

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item


class Kept(NamedTuple):
    """`refs` name the commits in the repository; `problem` says why there are none, '' otherwise."""

    changes: Changes
    items: tuple[Item, ...]
    refs: tuple[str, ...]
    problem: str


def keep(engine: Engine, container: str, workspace: str) -> Kept | None:
    """Keep what a running sandbox changed, if it works on a copy and changed anything.

    :raises EnvironmentFailure: it cannot be kept whole
    """
    inspected = engine.inspect(container)
    if not collect.is_copy(inspected):
        return None
    changes = collect.collect(engine, inspected, workspace)
    found = weigh.items(changes)
    if not found and changes.bundle is None:
        os.unlink(changes.path)
        return None
    lost = [entry.path for entry in changes.entries if entry.kind in ("large", "unreadable")]
    if lost:
        os.unlink(changes.path)
        raise EnvironmentFailure(
            f"`{lost[0]}` is too large, or cannot be read, to be kept"
            + (f", and {len(lost) - 1} more" if len(lost) > 1 else ""),
            "take it out: `sandboxd exec -n -- tar c FILE > FILE.tar`",
        )
    refs, problem = bring_commits(changes)
    return Kept(changes, found, refs, problem)


def bring_commits(changes: Changes) -> tuple[tuple[str, ...], str]:
    """The refs that the commits got in the workspace's repository, and why there are none."""
    if changes.bundle is None:
        return (), changes.problem
    try:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        return tuple(bundles.bring(changes.workspace, changes.bundle_bytes(), stamp)), ""
    except EnvironmentFailure as error:
        return (), error.message


def _has_ended(engine: Engine, container: str) -> bool:
    try:
        status = engine.inspect(container)["State"].get("Status")
    except failures.ContainerGone:
        return True
    return status in ("exited", "dead")


def before_end(
    engine: Engine, container: str, workspace: str, progress: Callable[[str], None]
) -> None:
    """Keep what a sandbox changed, and say so.

    :raises EnvironmentFailure: it cannot be kept: then the sandbox must not end
    """
    try:
        kept = keep(engine, container, workspace)
    except failures.NoAnswer:
        raise
    except NotWhole as error:
        progress(f"nothing is kept: {error.message}")
        return
    except failures.ContainerGone:
        if _has_ended(engine, container):
            # Its memory went with it, and there is nothing left to lose.
            return
        raise EnvironmentFailure(
            "the work in the sandbox cannot be kept: the sandbox starts again and again",
            "`sandboxd logs` shows why; throw the work away: `sandboxd down --discard`",
        ) from None
    except EnvironmentFailure as error:
        raise EnvironmentFailure(
            f"the work in the sandbox cannot be kept, so it goes on running: {error.message}",
            f"{error.hint}; or throw the work away: `sandboxd down --discard`",
        ) from None
    if kept is None:
        return
    count = len(kept.items)
    what = "1 change is kept" if count == 1 else f"{count} changes are kept"
    progress(f"{what}: `sandboxd review` shows it all")
    for ref in kept.refs:
        progress(f"commits are in `{ref}`")
    if kept.problem:
        progress(f"its commits are in the kept file alone: {kept.problem}")
    for line in kept_streams.prune():
        progress(line)
