"""Starts a command in a sandbox of this machine; the caller handles its streams, signals and end."""

from __future__ import annotations

import secrets
from time import sleep
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.deadline import looks_within

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine, Exec, Summary
    from sandboxd.errors import SandboxdError

MARK = "SANDBOXD_EXEC"
"""The name of an environment variable; its value is unique to each command, so that its processes can be found."""

_BEGIN_SECONDS = 2.0
"""Seconds for an engine to start a command after its answer. A command may not be found at all if it emptied its
environment.
"""
_LOOK_SECONDS = 0.05


class Command(NamedTuple):
    """A command that runs inside; its caller reads and writes its connection."""

    engine: Engine
    container: str
    exec_id: str
    variable: str
    """The variable that marks its processes, ``NAME=value``."""
    user: str
    connection: socket.socket
    """The stream of its output and input: raw bytes with a terminal, otherwise frames with a header of eight bytes
    (stream, size).
    """
    first: bytes
    """Output that arrived in the same read as the engine's answer."""

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of its terminal; no error if the command has ended."""
        self.engine.exec_resize(self.exec_id, rows, columns)

    def kill(self, number: int) -> None:
        """Send its processes a signal; no error if none are left.

        Engines answer before the command's process exists, so a missing one is looked for again.
        """
        from sandboxd.engine.execute import kill_marked

        for _ in looks_within(_BEGIN_SECONDS):
            if kill_marked(self.engine, self.container, self.user, self.variable, number):
                return
            if self.engine.exec_exit_code(self.exec_id) is not None:
                return
            sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """Close its connection; it may go on."""
        self.connection.close()

    def exit_code(self) -> int:
        """The command's exit code, once its output has ended.

        :raises ContainerGone: the container ended with or before it
        """
        from sandboxd.engine.execute import wait_for_code

        return wait_for_code(self.engine, self.container, self.exec_id)

    def halt_error(self) -> SandboxdError | None:
        """The error that says that its sandbox was halted meanwhile; None while it goes on."""
        from sandboxd.life import halts

        return halts.came_to(self.container, lambda: self.engine)


def begin(
    engine: Engine,
    environ: Mapping[str, str],
    project: str,
    directory: str,
    request: Exec,
    name: str = "",
    warn: Callable[[str], None] | None = None,
    follow: Callable[[str], str] = lambda _: "",
) -> Command:
    """Start `request` in the running sandbox `name` of the project in the folder `project`.

    :param environ: the user's environment, which leads to what was noted of the sandbox
    :param directory: the caller's folder, which says where inside a request without a folder begins
    :param warn: called, before the command starts, with each warning: the gateway does not run, rights that were
        revoked may still be in force, commits did not pass, or another container of the sandbox is halted. None:
        nothing is checked, as a daemon watches over these
    :param follow: gives the sandbox, by its identity, the rights that it may have now; returns why it may have others,
        '' if it has just these
    :raises ContainerGone: no such sandbox runs
    :raises Halted: it is halted
    """
    from sandboxd.life import commits, exec_settings, halts
    from sandboxd.life.find import locate_among, project_containers
    from sandboxd.model.labels import PROJECT

    # Asked for once: a command has to begin at once.
    present = project_containers(engine, project, name)
    sandbox = locate_among(present, engine, project, name)
    if warn is not None:
        if commits.is_used(environ):
            commits.exchange_with(engine, environ, sandbox, warn)
        # A daemon halts it when that happens.
        halts.refuse(engine, sandbox)
        for text in halts.beside(engine, sandbox.labels[PROJECT], sandbox.id, present):
            warn(text)
        if text := _closed(engine, sandbox) or follow(sandbox.labels[PROJECT]):
            warn(text)
    container = sandbox.id
    variable = f"{MARK}={secrets.token_hex(8)}"
    settings = exec_settings.recall(environ, sandbox.labels[PROJECT], container)
    request = request._replace(
        # Another user has another shell.
        env=[*(() if request.user else settings.shell), *settings.env, *request.env, variable],
        working_dir=request.working_dir
        or _folder_of(directory, sandbox.labels[PROJECT], settings.folder),
    )
    exec_id = engine.exec_create(container, request)
    connection, first = engine.exec_start(exec_id, request.tty)
    return Command(engine, container, exec_id, variable, request.user, connection, first)


def _folder_of(directory: str, sandbox: str, own: str) -> str:
    """The folder inside for a caller at `directory`; '' for the container's own."""
    from sandboxd.model.sandbox_id import workspace_of

    workspace = workspace_of(sandbox)
    # Most callers stand in the workspace itself, and a command has to begin at once.
    if directory == workspace:
        return own
    from sandboxd.plan.mounts import folder_inside

    return folder_inside(directory, workspace, own)


def _closed(engine: Engine, sandbox: Summary) -> str:
    """The reason why a sandbox that is to reach names reaches none, in words; '' where its gateway runs."""
    from sandboxd.model.labels import EGRESS, MADE_BY, PROJECT

    if not sandbox.labels.get(EGRESS):
        return ""
    from sandboxd.life import gateway

    present = gateway.container_of(engine, sandbox.labels[PROJECT])
    if present is not None and present.state == "running":
        return ""
    back = gateway.way_back(sandbox.labels.get(MADE_BY))
    state = "gone" if present is None else present.state
    return f"its gateway is {state}, so nothing gets out: `{back}` starts it again"
