"""Collects the changes of a project's sandbox into a file, of one that runs, stopped or ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.life import awake, commits, find
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import sandbox_id, workspace_of
from sandboxd.review import collect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.engine.interruption import Cancel
    from sandboxd.model.engine_answers import Inspected


def changes_of(
    engine: Engine,
    environ: Mapping[str, str],
    project: str,
    name: str,
    tell: Callable[[str], None],
    cancel: Cancel,
) -> tuple[str, float | None]:
    """Collect the changes of the sandbox `name` of the project in the folder `project`, or find those saved at its end.

    A stopped sandbox whose copy is in a volume is started for it.

    :returns: the fields of `backends.backend.Collected`
    :raises UsageError: there is nothing to review
    :raises EnvironmentFailure: the changes cannot be read, or are not plausible
    """
    containers = find.project_containers(engine, project, name)
    # Of the container itself: the list of a busy engine says `running` for a moment after the end.
    inspected = engine.inspect(containers[0].id) if containers else None
    state = inspected["State"]["Status"] if inspected is not None else ""
    if state == "paused":
        raise UsageError(
            "the sandbox is paused, and nothing in it can be read",
            "`sandboxd up` lets it go on; `sandboxd down` keeps its changes and ends it",
        )
    if state == "exited" and awake.has_lasting_copy(engine, containers[0]):
        with awake.awake(engine, containers[0], tell):
            inspected = engine.inspect(containers[0].id)
            return _of_running(engine, environ, containers[0], inspected, tell, cancel)
    if inspected is None or state != "running":
        workspace = os.path.realpath(project)
        streams = collect.streams_of(sandbox_id(workspace, name))
        if not streams:
            raise UsageError(
                "no sandbox runs here, and nothing was kept of one",
                _start(engine, workspace, name),
            )
        return streams[0], collect.age(streams[0])
    return _of_running(engine, environ, containers[0], inspected, tell, cancel)


def _of_running(
    engine: Engine,
    environ: Mapping[str, str],
    container: Summary,
    inspected: Inspected,
    tell: Callable[[str], None],
    cancel: Cancel,
) -> tuple[str, float | None]:
    """Collect the changes of a running container's copy, if it has one; of one without, its commits pass."""
    if not collect.is_copy(inspected):
        commits.exchange(engine, environ, inspected, tell)
        return "", None
    path = collect.collect(engine, inspected, workspace_of(container.labels[PROJECT])).path
    try:
        cancel.check()
    except BaseException:
        os.unlink(path)
        raise
    return path, None


def _start(engine: Engine, workspace: str, name: str) -> str:
    """The next command where nothing of the sandbox `name` is there to look at."""
    if not name and (others := find.names_beside(engine, workspace)):
        return f"name one that is there: `sandboxd review --name {others[0]}`"
    return find.how_to_start(workspace, name, ())
