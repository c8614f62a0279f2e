"""Stop and remove a project's sandbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.engine.interruption import lines, never, silent
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations import recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import StopOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.backend import Backend
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Stopped(NamedTuple):
    """Names of containers or Pods: `removed`, and those of editors (`of_editors`), which stay."""

    directory: str
    """The project's folder."""
    removed: tuple[str, ...]
    of_editors: tuple[str, ...]
    problem: str
    """The reason why the end is not in the audit record; '' if it is."""


class StoppedDocument(TypedDict):
    """`Stopped` as JSON."""

    directory: str
    removed: list[str]
    of_editors: list[str]
    problem: str


def serve(request: Request) -> Stopped:
    """Run `stop` with `StopOptions`."""
    options = request.read_options(StopOptions)
    stopped = stop(
        request.backend,
        request.directory,
        request.environ,
        name=request.name,
        discard=options.discard,
        progress=request.progress,
        cancel=request.cancel,
    )
    sandbox = sandbox_id(os.path.realpath(stopped.directory), request.name)
    request.keeping.keep_credentials(sandbox, "", None)
    request.keeping.keep_ssh(sandbox, "", None)
    return stopped


def stop(
    backend: Backend,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    discard: bool = False,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Stopped:
    """Remove the sandbox `name` of the project that `directory` lies in, if there is one.

    The changes in a private copy are saved first. If the project's folder no longer exists, `directory` is its path.

    :param environ: the user's environment, which leads to the audit record
    :param discard: throw these changes away instead
    :raises EnvironmentFailure: they cannot be saved; then the sandbox keeps running
    :raises UsageError: `directory` is not a folder, and no sandbox belongs to that path
    """
    cancel = cancel or never()
    project = project_folder(directory) if os.path.isdir(directory) else directory
    tell = lines(progress, cancel)
    ended = backend.end(project, name, discard=discard, tell=tell, cancel=cancel)
    if not ended.removed and not ended.of_editors:
        # Only now: it may be the folder of a sandbox that is there.
        project = project_folder(directory)
    problem = recording.stopped(
        environ, ended.sandbox, ended.removed, discard, ended.ledger, backend.place
    )
    return Stopped(project, ended.removed, ended.of_editors, problem)
