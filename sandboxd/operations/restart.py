"""Stops a project's sandbox and starts it again by its present plan."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.engine.interruption import interruptible, lines
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations import start as starting
from sandboxd.operations._folder import project_folder
from sandboxd.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.operations.request import Request
    from sandboxd.operations.started import Started

NEEDS_FACTS = True


def serve(request: Request) -> Started:
    """Stop the sandbox, then run the operation `start` with its options.

    :raises UsageError: its config cannot be read; then it keeps running
    """
    # A sandbox that could not be started again is not stopped.
    Project.open(request.directory, request.environ, request.name)
    engine = interruptible(request.engine, request.cancel)
    tell = lines(request.progress, request.cancel)
    require_meant(engine, request.directory, request.name)
    halt(engine, request.directory, request.name, tell, request.cancel.check)
    return starting.serve(request)


def require_meant(engine: Engine, directory: str, name: str) -> None:
    """Refuse to restart the unnamed sandbox if only named ones exist: one of them may be meant.

    :param name: the name that was asked for; '' for the unnamed one
    :raises EnvironmentFailure: only named ones exist
    """
    from sandboxd.life import find

    if name:
        return
    folder = project_folder(directory)
    if find.project_containers(engine, folder):
        return
    if others := find.names_beside(engine, os.path.realpath(folder)):
        raise EnvironmentFailure(
            f"`{folder}` has no sandbox without a name",
            find.how_to_start(os.path.realpath(folder), name, others),
        )


def halt(
    engine: Engine,
    directory: str,
    name: str,
    tell: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Stop the container that `up` created for the sandbox `name` of the project, if there is one.

    The changes in a private copy in memory are saved first, as in `down`.

    :param tell: called with each message
    :param check: called while waiting; ends the wait by raising
    :raises EnvironmentFailure: they cannot be saved; then the sandbox keeps running
    """
    from sandboxd.life import find, synced_copy
    from sandboxd.life.end import STOP_SECONDS
    from sandboxd.life.lock import project_lock
    from sandboxd.model.labels import MADE_BY, PROJECT, UP
    from sandboxd.review import copies, rescue

    for container in find.project_containers(engine, project_folder(directory), name):
        if container.labels.get(MADE_BY) != UP or container.state != "running":
            continue
        sandbox = container.labels[PROJECT]
        with project_lock(sandbox, tell, check):
            lasts = copies.copy_of(engine, engine.inspect(container.id)) is not None
            keeping = rescue.before_end(engine, container.id, sandbox, tell)
            copying = synced_copy.before_end(engine, os.environ, sandbox, container.id, tell)
            with copying, contextlib.nullcontext() if lasts else keeping:
                tell(f"stopping `{container.name}`")
                engine.stop(container.id, STOP_SECONDS)
