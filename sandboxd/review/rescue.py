"""Saves the work in a private copy before its sandbox ends, as a copy in memory would be lost."""

from __future__ import annotations

import contextlib
import os
import shlex
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.sandbox_id import name_option, workspace_of
from sandboxd.review import bundles, collect, copies, stop_notes, weigh
from sandboxd.review import streams as kept_streams
from sandboxd.review.changes import NotWhole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.engine.client import Engine
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item


_SAME_SECOND = 50
"""The most sandboxes of one repository whose commits can be imported within one second."""


class Rescued(NamedTuple):
    """The saved work of a sandbox.

    `refs` name its commits in the host's repository; `problem` is the reason why they are only in the saved file, '' if
    there is none.
    """

    changes: Changes
    items: tuple[Item, ...]
    refs: tuple[str, ...]
    problem: str

    def holds_something(self) -> bool:
        """Whether anything was saved; without changes there is no file."""
        return bool(self.items) or self.changes.bundle is not None


def keep(engine: Engine, container: str, workspace: str) -> Rescued | None:
    """Save the changes of a running sandbox and stop its processes.

    :returns: None if it does not work on a private copy
    :raises EnvironmentFailure: they cannot be saved completely
    """
    inspected = engine.inspect(container)
    if not collect.is_copy(inspected):
        return None
    return hold(collect.collect(engine, inspected, workspace, stop_others=True))


def hold(changes: Changes) -> Rescued:
    """Save the collected changes of a sandbox that is about to end.

    :raises EnvironmentFailure: a part of them cannot be saved; then nothing is
    """
    items = weigh.items(changes)
    if not items and changes.bundle is None and not changes.problem:
        os.unlink(changes.path)
        return Rescued(changes, (), (), "")
    lost = [entry.path for entry in changes.entries if entry.kind in ("large", "unreadable")]
    if lost:
        os.unlink(changes.path)
        raise EnvironmentFailure(
            f"`{lost[0]}` is too large, or cannot be read, to be kept"
            + (f", and {len(lost) - 1} more" if len(lost) > 1 else ""),
            "take it out: `sandboxd exec -n -- tar c FILE > FILE.tar`",
        )
    if changes.bundle is None and changes.problem:
        os.unlink(changes.path)
        raise EnvironmentFailure(
            f"its commits cannot be packed: {changes.problem}",
            "take them out: `sandboxd exec -n -- git bundle create - --all > commits.bundle`",
        )
    refs, problem = bring_commits(changes)
    return Rescued(changes, items, refs, problem)


def bring_commits(changes: Changes) -> tuple[tuple[str, ...], str]:
    """Import the commits into the workspace's repository.

    :returns: their refs, and the reason why there are none ('' if there is no reason)
    """
    if changes.bundle is None:
        return (), changes.problem and f"its commits are not kept: {changes.problem}"
    try:
        return tuple(_bring(changes)), ""
    except EnvironmentFailure as error:
        return (), f"its commits are in the kept file alone: {error.message}"


def _bring(changes: Changes) -> list[str]:
    """The refs, by the sandbox's name and the time of now; it may bring some more than once within one second."""
    workspace, bundle = changes.workspace, changes.bundle_bytes()
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    first = f"{changes.name}-{stamp}" if changes.name else stamp
    names = [first, *(f"{first}-{count}" for count in range(2, _SAME_SECOND + 1))]
    for name in names[:-1]:
        with contextlib.suppress(bundles.NameTaken):
            return bundles.bring(workspace, bundle, name)
    return bundles.bring(workspace, bundle, names[-1])


def subjects(changes: Changes, most: int) -> tuple[list[str], str]:
    """Id and first line of each commit that would be imported, and the reason why they cannot be ('' if they can).

    :param most: the largest number of commits to name
    """
    if changes.bundle is None:
        return [], ""
    try:
        return bundles.subjects(changes.workspace, changes.bundle_bytes(), most), ""
    except EnvironmentFailure as error:
        return [], error.message


def _project_option(sandbox: str) -> str:
    """The option that names the project where nobody can be in its folder, as that was removed."""
    workspace = workspace_of(sandbox)
    return "" if os.path.isdir(workspace) else f" --project {shlex.quote(workspace)}"


def _has_ended(engine: Engine, container: str) -> bool:
    try:
        status = engine.inspect(container)["State"].get("Status")
    except failures.ContainerGone:
        return True
    return status in ("exited", "dead")


def _lasts(engine: Engine, container: str) -> bool:
    """Whether the copy of a container outlives it; False where the engine does not answer."""
    try:
        return copies.copy_of(engine, engine.inspect(container)) is not None
    except EnvironmentFailure:
        return False


@contextlib.contextmanager
def before_end(
    engine: Engine, container: str, sandbox: str, progress: Callable[[str], None]
) -> Iterator[None]:
    """Save the changes of a sandbox and report where they are; the block then ends the sandbox.

    If the block raises, or the changes cannot be saved, the sandbox's processes continue.

    :param sandbox: the sandbox's identity
    :raises EnvironmentFailure: they cannot be saved; then the sandbox must not end
    """
    try:
        _keep_and_report(engine, container, sandbox, progress)
        yield
    except BaseException:
        collect.let_go_on(engine, container)
        raise
    stop_notes.forget(os.environ, container)


def _keep_and_report(
    engine: Engine, container: str, sandbox: str, progress: Callable[[str], None]
) -> None:
    lasts = _lasts(engine, container)
    option = name_option(sandbox)
    discard = f"sandboxd down{_project_option(sandbox)}{option} --discard"
    try:
        rescued = keep(engine, container, workspace_of(sandbox))
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
            f"`sandboxd logs{option}` shows why; throw the work away: `{discard}`",
        ) from None
    except (EnvironmentFailure, UsageError) as error:
        if lasts:
            progress(f"its changes cannot be shown before it runs again: {error.message}")
            return
        raise EnvironmentFailure(
            f"the work in the sandbox cannot be kept, so it goes on running: {error.message}",
            f"{error.hint or 'look at the folder'}; or throw the work away: `{discard}`",
        ) from None
    if rescued is not None:
        report(rescued, option, progress)


def report(rescued: Rescued, option: str, progress: Callable[[str], None]) -> None:
    """Report where the saved work of a sandbox is.

    :param option: the options that select the sandbox, to put behind a command; '' for none
    """
    if rescued.changes.skipped:
        progress(f"not kept, {rescued.changes.not_looked_at()}")
    if not rescued.holds_something():
        return
    count = len(rescued.items)
    what = "1 change is kept" if count == 1 else f"{count} changes are kept"
    if not count:
        what = "its commits are kept"
    progress(f"{what}: `sandboxd review{option}` shows it all")
    for ref in rescued.refs:
        progress(f"commits are in `{ref}`")
    if rescued.problem:
        progress(rescued.problem)
    for line in kept_streams.prune():
        progress(line)
