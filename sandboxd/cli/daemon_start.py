"""Starts the daemon for a command that leaves a sandbox running; a command without one says what is open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import __version__, terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH = "SANDBOXD_NO_DAEMON"
"""The variable that, set to anything, keeps all commands from starting a daemon."""

_NOTE = "daemon-noted"
_ABOUT = (
    "started: it watches what runs, applies changes of policy and grants, and keeps generated files up to date; "
    "`sandboxd daemon stop` ends it, `--no-daemon` or `daemon = false` in policy.toml does without"
)
_OPEN = (
    "until the next command nothing notices a control file that the host replaces, and no change of a policy or "
    "a grant reaches what runs"
)


def switched_off_by(environ: Mapping[str, str]) -> str:
    """The setting or policy that keeps commands from starting a daemon, for a person; '' if they may.

    A policy that cannot be read keeps them from it, too: it may say so.
    """
    if environ.get(SWITCH):
        return f"`{SWITCH}`"
    from sandboxd.errors import UsageError
    from sandboxd.policy import floor

    try:
        demands = floor.load(environ)
    except UsageError as error:
        return error.message
    return f"`{demands.path_of('daemon')}`" if demands.no_daemon else ""


class NotRunning(NamedTuple):
    """The reason why no daemon runs beside a command that leaves a sandbox running."""

    why: str
    is_wish: bool
    """The user or a policy said so; else one could not be started."""


def start(environ: Mapping[str, str], *, is_wanted: bool) -> NotRunning | None:
    """Start a daemon where nothing is against that and none runs, and say so the first time.

    :param is_wanted: False for `--no-daemon`
    :returns: None where one runs now, else what to give `say_open` once the command has not failed otherwise
    """
    from sandboxd.errors import DaemonError
    from sandboxd.ipc import client

    why = "`--no-daemon`" if not is_wanted else switched_off_by(environ)
    try:
        connection = client.connect(environ, start=not why, patience=client.PATIENT_SECONDS)
    except (DaemonError, OSError) as error:
        reason = error.message if isinstance(error, DaemonError) else str(error.strerror)
        return NotRunning(reason if why else f"it cannot be started: {reason}", bool(why))
    if connection is None:
        return NotRunning(why, True)
    connection.close()
    # One of a later version watches, too, though it does nothing for us.
    is_ours = connection.daemon_version == __version__
    if not why and is_ours and _is_first(environ):
        terminal.entry("daemon", _ABOUT)
    return None


def say_open(without: NotRunning) -> None:
    """Say that no daemon runs, and what is open so."""
    terminal.entry("no daemon", f"({without.why}) {_OPEN}", terminal.YELLOW)


def _is_first(environ: Mapping[str, str]) -> bool:
    """Whether nothing was said of the daemon before; of many commands at once it is True for one."""
    from sandboxd.folders import state_folder

    path = os.path.join(state_folder(environ), _NOTE)
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        return False
    except OSError:
        # Where nothing can be remembered it is said each time.
        return True
    return True
