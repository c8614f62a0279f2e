"""Registers a project with a running daemon, for commands whose own work is something else.

Imports nothing slow, takes a millisecond, and fails silently: the daemon's log tells what became of it.
"""

from __future__ import annotations

import os

from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.ipc.dial import GREETING_SECONDS, dial, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def announce(environ: Mapping[str, str], workspace: str, *, keeps: bool) -> bool:
    """Register `workspace` with a running daemon; True if the daemon confirmed that, False also without a daemon.

    :param keeps: whether its generated files are to be written after each save from now on; a project for which they
        already are stays so
    """
    try:
        return _tell(environ, os.path.realpath(workspace), keeps)
    except (ImportError, AttributeError, OSError, ValueError, DaemonError):
        return False


def _tell(environ: Mapping[str, str], workspace: str, keeps: bool) -> bool:
    connection = dial(environ, GREETING_SECONDS)
    if connection is None:
        return False
    try:
        connection.sendall(_request(environ, workspace, keeps))
        received = b""
        # The daemon drops the request of a client that disconnects before the answer.
        while received.count(b"\n") < 2:
            part = connection.recv(65536)
            if not part:
                return False
            received += part
        return b'"error"' not in received
    finally:
        connection.close()


def _request(environ: Mapping[str, str], workspace: str, keeps: bool) -> bytes:
    """`hello` and `project/register` in one write."""
    from _json import encode_basestring_ascii as quote

    register = (
        f'{{"jsonrpc":"2.0","id":2,"method":"{messages.PROJECT_REGISTER}","params":{{'
        f'"path":{quote(workspace)},"keeps":{"true" if keeps else "false"},"wait":false}}}}\n'
    )
    return (hello(environ, workspace) + register).encode("ascii")
