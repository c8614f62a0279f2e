"""Stop a project's sandbox and start it again, as planned now."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.operations import start as starting
from sandboxd.operations._folder import project_folder
from sandboxd.operations.interruption import interruptible, lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.operations.request import Request
    from sandboxd.operations.started import Started

NEEDS_FACTS = True

Options = starting.Options


def serve(request: Request) -> Started:
    """Stop the sandbox, then `start` it with that operation's options."""
    engine = interruptible(request.engine, request.cancel)
    tell = lines(request.progress, request.cancel)
    require_meant(engine, request.directory, request.name)
    halt(engine, request.directory, request.name, tell, request.cancel.check)
    return starting.serve(request)


def require_meant(engine: Engine, directory: str, name: str) -> None:
    """Refuse to start the sandbox without a name where only others are there, of which one may be meant.

    :param name: of the sandbox that is asked for
    :raises EnvironmentFailure: that is so
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
    """Stop the container that `up` made for the sandbox `name` of the project, if there is one.

    A private copy in memory is kept first, as `down` keeps it.

    :raises EnvironmentFailure: it cannot be kept; then the sandbox goes on running
    """
    from sandboxd.life import find
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
            with contextlib.nullcontext() if lasts else keeping:
                tell(f"stopping `{container.name}`")
                engine.stop(container.id, STOP_SECONDS)
