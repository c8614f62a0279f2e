"""A connection to an engine over ssh, made as the docker command makes it.

The SDK's own ways are not used: importing paramiko doubles the time and memory of every engine, and paramiko supports
less of a user's ssh config than `ssh` does; its other way, to start `ssh` (docker/transport/sshconn.py), uses pipes
that look like a socket and have no time limits. Here `ssh` gets one end of a socket pair, so that the other end is a
real socket.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import socket
import subprocess
import tempfile
from typing import IO

from sandboxd.engine.address import Address
from sandboxd.engine.unreachable import SshError

_KEEPALIVE_SECONDS = 30
_ENDING_SECONDS = 1.0
_MOST_WORDS = 4096


def command(address: Address, timeout: float | None) -> list[str]:
    """The command line of `ssh` that connects to the engine's socket; `ssh` never asks for a password.

    :param timeout: seconds for the connection; None for no limit
    """
    options = ["BatchMode=yes", f"ServerAliveInterval={_KEEPALIVE_SECONDS}"]
    options += ["ServerAliveCountMax=2"]
    if timeout is not None:
        options.append(f"ConnectTimeout={max(1, math.ceil(timeout))}")
    words = ["ssh", "-T", *(word for option in options for word in ("-o", option))]
    if address.user:
        words += ["-l", address.user]
    if address.port is not None:
        words += ["-p", str(address.port)]
    # The first of these to know `dial-stdio` is docker 18.09.
    where = ["--host", f"unix://{address.path}"] if address.path else []
    return [*words, "--", address.name, shlex.join(["docker", *where, "system", "dial-stdio"])]


class SshConnection(socket.socket):
    """A socket whose other end `ssh` holds; closing it ends `ssh`."""

    _process: subprocess.Popen[bytes] | None = None
    _stderr: IO[bytes] | None = None

    def reason(self) -> SshError | None:
        """Why `ssh` ended; None while it runs, or when it ended without an error."""
        process = self._process
        if process is None or self._stderr is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_SECONDS)
        if not process.returncode:
            return None
        self._stderr.seek(0)
        lines = self._stderr.read(_MOST_WORDS).decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return SshError(last.rstrip(".") or f"`ssh` ended with {process.returncode}")

    def _real_close(self, *arguments: object) -> None:
        super()._real_close(*arguments)  # type: ignore[misc]
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.terminate()
        try:
            process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._stderr is not None:
            self._stderr.close()


def dial(address: Address, agent: str, timeout: float | None) -> SshConnection:
    """A new connection to the engine at `address`.

    :param agent: the path of an ssh agent's socket, '' for none
    :param timeout: seconds for the connection, and for each read; None for no limit
    :raises SshError: `ssh` is not installed
    """
    environ = {name: os.environ[name] for name in os.environ if name != "SSH_AUTH_SOCK"}
    if agent:
        environ["SSH_AUTH_SOCK"] = agent
    ours, theirs = socket.socketpair()
    connection = SshConnection(fileno=ours.detach())
    connection.settimeout(timeout)
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the connection
    with theirs:
        try:
            connection._process = subprocess.Popen(
                command(address, timeout),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=stderr,
                env=environ,
                # A Ctrl-C at our terminal is for the command in the sandbox.
                start_new_session=True,
            )
        except OSError as error:
            stderr.close()
            connection.close()
            raise SshError(f"`ssh` cannot be started: {error.strerror}") from None
    connection._stderr = stderr
    return connection
