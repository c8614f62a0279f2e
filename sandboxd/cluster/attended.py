"""A command in a Pod that a person attends to: its streams as a socket, as those of a container are."""

from __future__ import annotations

import secrets
import socket
import threading
from typing import TYPE_CHECKING

from sandboxd.cluster import running
from sandboxd.cluster.channels import Channels, PodGone
from sandboxd.errors import SandboxdError
from sandboxd.signal_script import signal_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.cluster.api import Cluster

MARK = "SANDBOXD_EXEC"
"""A variable whose value is another one for each command: by it the command's processes are found."""

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
    """Signal the processes in a Pod whose environment holds `variable`, ``NAME=value``.

    :raises SandboxdError: the Pod does not do it within `seconds`
    """
    running.quietly(cluster, pod, ["sh", "-c", signal_script(variable, number)], seconds)


class PodCommand:
    """A command in a Pod, as `cli.attend` takes it: a terminal's bytes, else pieces with a head of eight bytes (stream, size)."""

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
        """Begin it.

        :param folder: inside, that it runs in
        :param must_end_input: its input is a file or a pipe, which ends
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
        """Tell the command's terminal the size; too late is no error."""
        try:
            self._channels.resize(rows, columns)
        except PodGone:
            return

    def close(self) -> None:
        """Cut the connection to it, and let its threads go; the command may go on inside."""
        self._channels.close()
        for end in (self.connection, self._ours):
            end.close()

    def kill(self, number: int) -> None:
        """Send its processes a signal."""
        signal_marked(self._cluster, self._pod, self._variable, number)

    def exit_code(self) -> int:
        """The exit code of the command, once its output has ended.

        :raises PodGone: the Pod ended with or before it
        """
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return self._channels.code

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
