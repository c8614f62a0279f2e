"""Starts a command or a shell in a project's sandbox; the caller handles its streams, signals and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.backend import Backend, CommandRequest
    from sandboxd.backends.command import Attended


def begin(
    backend: Backend,
    request: CommandRequest,
    name: str = "",
    warn: Callable[[str], None] | None = None,
) -> Attended:
    """Start `request` in the running sandbox `name` of the project that its folder lies in.

    :param warn: called, before the command starts, with each thing that the user should know of the sandbox, after it
        was given the rights that it may have now. None: nothing is asked for, as a daemon watches over it
    :raises EnvironmentFailure: no such sandbox runs, or it is halted
    """
    project = project_folder(request.directory)
    if warn is None:
        return backend.begin(project, name, request)
    from sandboxd.operations.follow import follow

    return backend.begin(
        project, name, request, warn, lambda sandbox: follow(backend, sandbox).words
    )
