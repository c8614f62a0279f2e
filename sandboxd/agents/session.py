"""An agent's session on a project: a named sandbox of the project with a config of its own.

The sandboxd.toml of a session is in the user's state folder, which no sandbox can write, and is used in place of the
project's for the sandbox of that name.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import CONFIG_NAME, decode, read_bytes, write_atomic
from sandboxd.folders import state_folder, workspace_file
from sandboxd.model.paths import lies_in
from sandboxd.model.sandbox_id import check_name, name_of, name_option, workspace_of
from sandboxd.policy.floor import user_folder
from sandboxd.policy.own_files import status_of
from sandboxd.toml_output import document

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = "session.toml"
_COMMENT = """\
The session of an agent, and what the user chose for it.
`sandboxd agent` writes this file."""


class Choices(NamedTuple):
    """The user's choices for a session, which are kept until the user makes others."""

    image: str = ""
    allow: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    """The names of credentials beside those of the agent; of one service, in its place."""
    command: tuple[str, ...] = ()
    """The program and arguments of an agent that no file describes; () for one that a file does."""


class Session(NamedTuple):
    """An agent's session on a project."""

    name: str
    agent: str
    project: str
    """The path of the project's folder, with links resolved."""
    folder: str
    """The path of the session's own folder, in the user's state folder."""
    choices: Choices = Choices()

    @property
    def config_path(self) -> str:
        """The path of the session's sandboxd.toml."""
        return os.path.join(self.folder, CONFIG_NAME)


def session(environ: Mapping[str, str], project: str, agent: str, name: str) -> Session:
    """The session `name` of `agent` on `project`; no file is made.

    :param project: its path, with links resolved
    :raises UsageError: the name is not valid, or the user's state or grants are inside the project
    """
    check_name(name)
    folder = os.path.join(_folder(environ, project), name)
    for path in (folder, user_folder(environ)):
        if lies_in(os.path.realpath(path), project):
            raise UsageError(
                f"`{project}` holds sandboxd's own files and those of every project below it",
                "run it in the folder of one project",
            )
    return Session(name, agent, project, folder)


def write(environ: Mapping[str, str], own: Session, config: bytes) -> None:
    """Make the session's folder, with `config` as its sandboxd.toml.

    :raises UsageError: the name is that of another agent's session, or it cannot be written
    """
    present = recall(environ, own.project, own.name)
    if present is not None and present.agent != own.agent:
        raise UsageError(
            f"the session `{own.name}` is one of `{present.agent}`",
            f"name another: `sandboxd agent {own.agent} --name {own.agent}-2`",
        )
    record = {"name": own.name, "agent": own.agent, "project": own.project}
    text = document({**record, "choices": own.choices._asdict()}, _COMMENT)
    try:
        os.makedirs(own.folder, mode=0o700, exist_ok=True)
        write_atomic(own.config_path, config, 0o600)
        write_atomic(os.path.join(own.folder, RECORD), text, 0o600)
    except OSError as error:
        raise UsageError(
            f"cannot write `{own.folder}`: {error.strerror}", "make room, or set XDG_STATE_HOME"
        ) from None


def recall(environ: Mapping[str, str], project: str, name: str) -> Session | None:
    """The session `name` on `project`; None where there is none.

    :param project: its path, with links resolved
    :raises UsageError: its record cannot be read
    """
    if not name:
        return None
    folder = os.path.join(_folder(environ, project), check_name(name))
    path = os.path.join(folder, RECORD)
    if status_of(path, "whose config counts", follow_links=False) is None:
        return None
    import tomllib

    try:
        record = tomllib.loads(decode(read_bytes(path)))
        agent, of = str(record["agent"]), str(record["project"])
        choices = _choices(record["choices"])
    except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
        words = error.message if isinstance(error, UnreadableError) else "is no record of a session"
        raise UsageError(f"`{path}` {words}", f"remove `{folder}`") from None
    return Session(name, agent, project, folder, choices) if of == project else None


def agent_of(environ: Mapping[str, str], sandbox: str) -> str:
    """The name of the agent whose session a sandbox is; '' if it is none, or its record cannot be read.

    :param sandbox: its identity (`model.sandbox_id`)
    """
    try:
        own = recall(environ, workspace_of(sandbox), name_of(sandbox))
    except UsageError:
        return ""
    return own.agent if own is not None else ""


def start_command(sandbox: str, agent: str) -> str:
    """The `sandboxd` command that starts a sandbox or continues it.

    :param sandbox: its identity (`model.sandbox_id`)
    :param agent: the name of the agent whose session it is, '' for none
    """
    if not agent:
        return f"sandboxd up{name_option(sandbox)}"
    option = "" if name_of(sandbox) == agent else name_option(sandbox)
    return f"sandboxd agent {agent}{option}"


def forget(own: Session) -> None:
    """Remove a session's files, for example when its agent never started."""
    for path in (os.path.join(own.folder, RECORD), own.config_path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _choices(record: Mapping[str, Any]) -> Choices:
    # The last two are not in records of older versions.
    return Choices(
        str(record["image"]),
        tuple(str(name) for name in record["allow"]),
        tuple(str(name) for name in record.get("credentials", ())),
        tuple(str(word) for word in record.get("command", ())),
    )


def of_project(environ: Mapping[str, str], project: str) -> tuple[Session, ...]:
    """The sessions of agents on `project`, in the order of their names.

    :param project: its path, with links resolved
    :raises UsageError: the record of one cannot be read
    """
    sessions = (recall(environ, project, name) for name in names_of(environ, project))
    return tuple(own for own in sessions if own is not None)


def names_of(environ: Mapping[str, str], project: str) -> list[str]:
    """The names of everything in the folder of the agents' sessions on `project`, sorted.

    :param project: its path, with links resolved
    """
    try:
        return sorted(os.listdir(_folder(environ, project)))
    except OSError:
        return []


def folders_of(environ: Mapping[str, str], project: str) -> list[str]:
    """The own folders of the sessions on `project`, also of one whose record cannot be read.

    :param project: its path, with links resolved
    """
    folder = _folder(environ, project)
    return [os.path.join(folder, name) for name in names_of(environ, project)]


def _folder(environ: Mapping[str, str], project: str) -> str:
    """The folder of all sessions on a project."""
    return workspace_file(os.path.join(state_folder(environ), "agents"), project, "")
