"""A command in a Pod that is connected to the user's terminal, with the interface that commands in containers have."""

from __future__ import annotations

import secrets
import socket
import threading
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import running
from sandboxd.backends.kubernetes.channels import Channels, PodGone
from sandboxd.errors import SandboxdError
from sandboxd.signal_script import signal_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.backends.kubernetes.api import Cluster

MARK = "SANDBOXD_EXEC"
"""The environment variable that marks a command's processes: its value differs for each command."""

_MARKED = (
    "sh",
    "-c",
    'export "$1"; cd "$2" || exit 126; shift 2; while [ "$1" != -- ]; do export "$1"; shift; done; shift; exec "$@"',
    "sh",
)
_SIZE = 65536
_SIGNAL_SECONDS = 30.0


def signal_marked(
    cluster: Cluster, pod: str, variable: str, number: int, seconds: float = _SIGNAL_SECONDS
) -> None:
    """Send a signal to the processes in a Pod whose environment contains `variable`.

    :param variable: ``NAME=value``
    :param number: of the signal
    :raises SandboxdError: the Pod does not answer within `seconds`
    """
    running.quietly(cluster, pod, ["sh", "-c", signal_script(variable, number)], seconds)


class PodCommand:
    """A command in a Pod, in the form that `cli.attend` takes.

    Its socket `connection` carries a terminal's bytes, or without a terminal pieces with a header of eight bytes
    (stream, size).
    """

    def __init__(
        self,
        cluster: Cluster,
        pod: str,
        words: Sequence[str],
        *,
        folder: str,
        env: Sequence[str] = (),
        tty: bool,
        stdin: bool,
        must_end_input: bool,
    ) -> None:
        """Start the command.

        :param words: the command and its arguments
        :param folder: its working directory inside
        :param env: further variables, ``NAME=value``
        :param must_end_input: whether its input is a file or a pipe, so that the end has to reach the command
        """
        self._cluster, self._pod = cluster, pod
        self._variable = f"{MARK}={secrets.token_hex(8)}"
        self._tty, self._stdin = tty, stdin
        command = [*_MARKED, self._variable, folder, *env, "--", *words]
        self._channels = Channels(
            cluster, pod, command, tty=tty, stdin=stdin, must_end_input=must_end_input
        )
        self.connection, self._ours = socket.socketpair()
        self.first = b""
        self._failure: SandboxdError | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if stdin:
            threading.Thread(target=self._write, daemon=True).start()

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the command's terminal; no error if the command has ended."""
        try:
            self._channels.resize(rows, columns)
        except PodGone:
            return

    def close(self) -> None:
        """Close the connection and end its threads; the command may keep running in the Pod."""
        self._channels.close()
        for end in (self.connection, self._ours):
            end.close()

    def kill(self, number: int) -> None:
        """Send a signal to the command's processes."""
        signal_marked(self._cluster, self._pod, self._variable, number)

    def exit_code(self) -> int:
        """Wait for the end of the command's output; returns its exit code.

        :raises PodGone: the Pod ended with or before it
        """
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return self._channels.code

    def halt_error(self) -> SandboxdError | None:
        """None: nothing of the host is mounted in a Pod, so none is halted."""
        return None

    def _read(self) -> None:
        try:
            for stream, piece in self._channels.pieces():
                head = (
                    b"" if self._tty else bytes((stream, 0, 0, 0)) + len(piece).to_bytes(4, "big")
                )
                self._ours.sendall(head + piece)
        except SandboxdError as error:
            self._failure = error
        except OSError:
            # The client that attended to the command is gone.
            pass
        finally:
            self._ended.set()
            self._shut()

    def _shut(self) -> None:
        try:
            self._ours.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _write(self) -> None:
        try:
            while data := self._ours.recv(_SIZE):
                self._channels.send(data)
            self._channels.end_input()
        except (OSError, PodGone):
            # It ended before its input did.
            return
