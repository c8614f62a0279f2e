"""Connects to a running daemon and sends the first line, for commands too fast to import json.

Imported by the fast paths of `status` and `lsp`; the line is what `json` itself would write."""

from __future__ import annotations

import os

from sandboxd import __version__
from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.ipc.address import check_folder, check_socket, folder, socket_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Mapping

GREETING_SECONDS = 3.0
"""Seconds that a daemon that took the connection may take to answer `hello`.

It needs a millisecond; on a machine that has twenty times too much to do, one second was too short.
"""

WELCOME = f'{{"jsonrpc":"2.0","id":1,"result":{{"version":"{__version__}",'
"""The first characters of the answer to `hello` by a daemon of this version."""


class NoAnswer(DaemonError):
    """The daemon accepted the connection but did not answer in time."""


def dial(environ: Mapping[str, str], seconds: float) -> socket | None:
    """A connection to the daemon's socket; None where no daemon listens.

    :param seconds: the time limit of each later read and write
    :raises DaemonError: what is at the socket's path cannot be trusted
    """
    import _socket

    uid = os.getuid()
    where = folder(environ, uid)
    path = socket_path(where)
    if not check_folder(where, uid) or not check_socket(path, uid):
        return None
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def hello(environ: Mapping[str, str], cwd: str) -> str:
    """The request `hello`, which must come first: a line of JSON with its line end, the id is 1."""
    from _json import encode_basestring_ascii as quote

    engine = ",".join(
        f'"{name}":{quote(value)}' for name, value in engine_variables(environ).items()
    )
    return (
        f'{{"jsonrpc":"2.0","id":1,"method":"{messages.HELLO}","params":{{'
        f'"version":"{__version__}","engine":{{{engine}}},"cwd":{quote(cwd)}}}}}\n'
    )


def engine_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that select the engine, relative paths resolved against the current folder.

    Docker's config folder is always among them: unnamed, it is in the caller's home, not in the daemon's.
    """
    chosen = {name: environ[name] for name in messages.ENGINE_VARIABLES if name in environ}
    if not chosen.get("DOCKER_CONFIG"):
        chosen["DOCKER_CONFIG"] = default_config(environ)
    for name in ("DOCKER_CONFIG", "DOCKER_CERT_PATH", "SSH_AUTH_SOCK"):
        if chosen.get(name):
            chosen[name] = os.path.abspath(chosen[name])
    host = chosen.get("DOCKER_HOST", "")
    path = host.removeprefix("unix://")
    if path != host and path and path[0] != "/":
        chosen["DOCKER_HOST"] = f"unix://{os.path.abspath(path)}"
    return chosen


def default_config(environ: Mapping[str, str]) -> str:
    """Docker's config folder for a user who does not set DOCKER_CONFIG, as in `engine.contexts`."""
    return os.path.abspath(os.path.join(environ.get("HOME", "/"), ".docker"))
