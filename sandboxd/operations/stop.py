"""Stop and remove a project's sandbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.engine.interruption import interruptible, lines, never, silent
from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import ssh_entries
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations import _groups, commits, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import StopOptions
from sandboxd.state import failed_command, given_rights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.ledger import Ledger
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Stopped(NamedTuple):
    """Names of containers: `removed`, and those of editors (`of_editors`), which stay."""

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
        request.engine,
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
    engine: Engine,
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
    from sandboxd.agents import session
    from sandboxd.life import find, up_down
    from sandboxd.model.labels import MADE_BY, PROJECT, UP

    cancel = cancel or never()
    engine = interruptible(engine, cancel)
    containers = _of_removed_folder(engine, directory, name)
    if not containers:
        directory = project_folder(directory)
        containers = find.project_containers(engine, directory, name)
    # Without any, too: a start that was killed may have left something in the workspace.
    here = sandbox_id(os.path.realpath(directory), name)
    sandbox = containers[0].labels[PROJECT] if containers else here
    ledger = _ledger(engine, sandbox)
    agent = session.agent_of(environ, sandbox)
    for container in containers:
        tell = lines(progress, cancel)
        commits.exchange_with(engine, environ, container, tell, says_transfer=True)

    def forget() -> None:
        given_rights.forget(environ, sandbox, {container.id for container in containers})
        _groups.forget(environ, sandbox)
        failed_command.forget(environ, sandbox)
        ssh_entries.forget(environ, sandbox)

    removed = up_down.down(
        engine, sandbox, lines(progress, cancel), discard, cancel.check, agent, forget
    )
    problem = recording.stopped(environ, sandbox, removed, discard, ledger)
    editors = tuple(c.name for c in containers if c.labels.get(MADE_BY) != UP)
    return Stopped(directory, tuple(removed), editors, problem)


def _of_removed_folder(engine: Engine, directory: str, name: str) -> list[Summary]:
    """The sandbox whose folder is not there any more: nothing above it is looked through."""
    from sandboxd.life import find

    if os.path.isdir(directory):
        return []
    return find.sandboxes_of(engine, sandbox_id(os.path.realpath(directory), name))


def _ledger(engine: Engine, sandbox: str) -> Ledger | None:
    """The record of the sandbox's gateway, which ends with it; None where none answers."""
    from sandboxd.life import running_gateway

    try:
        gateway = running_gateway.gateway_of(engine, sandbox)
        return gateway.ledger() if gateway is not None else None
    except EnvironmentFailure:
        return None
