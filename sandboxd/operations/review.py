"""The changes that a sandbox made in its private copy of the workspace.

The operation only collects them into a file. The command or the editor reads it and asks the user.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.interruption import interruptible, lines, never, silent
from sandboxd.errors import UsageError
from sandboxd.life import commits
from sandboxd.model.sandbox_id import sandbox_id, workspace_of
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.operations.request import Request
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item

NEEDS_FACTS = False


class Reviewed(NamedTuple):
    """The changes, each with a judgement.

    `ended` is how many seconds ago the sandbox ended; None if it runs.
    """

    changes: Changes
    items: tuple[Item, ...]
    ended: float | None


class Collected(NamedTuple):
    """The file of the collected changes.

    `path` is in the user's state folder, '' if the sandbox works on the workspace itself. `ended` as in `Reviewed`.
    """

    path: str
    ended: float | None


def serve(request: Request) -> Collected:
    """Run `collect` with `SandboxOptions`."""
    options = request.read_options(SandboxOptions)
    return collect(
        request.engine,
        request.directory,
        name=options.name,
        progress=request.progress,
        cancel=request.cancel,
    )


def collect(
    engine: Engine,
    directory: str,
    *,
    name: str = "",
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Collected:
    """Collect the changes of the sandbox `name` of the project that `directory` lies in, or find those saved at its
    end.

    A stopped sandbox whose copy is in a volume is started for it.

    :raises UsageError: there is nothing to review
    :raises EnvironmentFailure: the changes cannot be read, or are not plausible
    """
    from sandboxd.life import awake, find
    from sandboxd.review import collect

    cancel = cancel or never()
    engine = interruptible(engine, cancel)
    directory = project_folder(directory)
    containers = find.project_containers(engine, directory, name)
    # Of the container itself: the list of a busy engine says `running` for a moment after the end.
    inspected = engine.inspect(containers[0].id) if containers else None
    state = inspected["State"]["Status"] if inspected is not None else ""
    if state == "paused":
        raise UsageError(
            "the sandbox is paused, and nothing in it can be read",
            "`sandboxd up` lets it go on; `sandboxd down` keeps its changes and ends it",
        )
    if state == "exited" and awake.has_lasting_copy(engine, containers[0]):
        with awake.awake(engine, containers[0], lines(progress, cancel)):
            return _collect(
                engine, containers[0], engine.inspect(containers[0].id), progress, cancel
            )
    if inspected is None or state != "running":
        streams = collect.streams_of(sandbox_id(os.path.realpath(directory), name))
        if not streams:
            raise UsageError(
                "no sandbox runs here, and nothing was kept of one",
                _start(engine, os.path.realpath(directory), name),
            )
        return Collected(streams[0], collect.age(streams[0]))
    return _collect(engine, containers[0], inspected, progress, cancel)


def _collect(
    engine: Engine, container: Summary, inspected: Inspected, progress: Progress, cancel: Cancel
) -> Collected:
    """Collect the changes of a running container's copy, if it has one; of one without, its commits pass."""
    from sandboxd.model.labels import PROJECT
    from sandboxd.review import collect

    if not collect.is_copy(inspected):
        commits.exchange(engine, os.environ, inspected, lines(progress, cancel))
        return Collected("", None)
    path = collect.collect(engine, inspected, workspace_of(container.labels[PROJECT])).path
    try:
        cancel.check()
    except BaseException:
        os.unlink(path)
        raise
    return Collected(path, None)


def _start(engine: Engine, workspace: str, name: str) -> str:
    """The next command where nothing of the sandbox `name` is there to look at."""
    from sandboxd.life import find

    if not name and (others := find.names_beside(engine, workspace)):
        return f"name one that is there: `sandboxd review --name {others[0]}`"
    return find.how_to_start(workspace, name, ())


@contextlib.contextmanager
def reviewed(collected: Collected, *, keep: bool = False) -> Iterator[Reviewed]:
    """Read the collected changes and judge each; for a running sandbox the file is removed at the end of the context.

    :param keep: keep that file in the user's state folder
    :raises EnvironmentFailure: they are not plausible
    """
    from sandboxd.review import changes, weigh

    try:
        read = changes.read(collected.path)
        yield Reviewed(read, weigh.items(read), collected.ended)
    finally:
        if collected.ended is None and not keep:
            with contextlib.suppress(OSError):
                os.unlink(collected.path)
