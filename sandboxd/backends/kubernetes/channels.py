"""Runs a command in a Pod over a WebSocket, by Kubernetes' channel protocol.

The first byte of a message is its channel: 0 stdin, 1 stdout, 2 stderr, 3 the result, 4 the terminal's size; 255
closes a channel, which servers before 1.30 do not support: there a command cannot be told that its input ended.
Source: https://kubernetes.io/docs/reference/kubernetes-api/ (Pod exec), kubernetes/remotecommand v5.channel.k8s.io
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import time
from typing import TYPE_CHECKING, Any

from sandboxd.backends.kubernetes import failures
from sandboxd.backends.kubernetes.api import explained
from sandboxd.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.backends.kubernetes.api import Cluster
    from sandboxd.backends.kubernetes.kubeconfig import Context

CONTAINER = "workspace"
"""The name of the Pod's container that the user works in."""

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _END, _SIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_LARGEST_MESSAGE = 4 << 20
_PIECE = 64 << 10
_END_SECONDS, _LOOK_SECONDS, _TURN_SECONDS = 5.0, 0.05, 0.5
_PING_SECONDS = 20.0
"""Load balancers cut connections that are silent for a minute."""


class PodGone(EnvironmentFailure):
    """The Pod ended with or before the command, or the connection to it broke."""


def no_pod(context: Context, pod: str) -> PodGone:
    """The error to report when the namespace has no such Pod."""
    return PodGone(
        f"there is no Pod `{pod}` in the namespace `{context.namespace}`",
        f"`sandboxd up{context.option}` starts it",
    )


class NoEndOfInput(UsageError):
    """The cluster is too old to tell a command that its input ended."""

    def __init__(self) -> None:
        super().__init__(
            "this cluster cannot tell a command that its input ended: it is older than Kubernetes 1.30",
            "give the command no input: `sandboxd exec -n`; files go in by `sandboxd cp FILE :`",
        )


class Channels:
    """A command that runs in a Pod; a context manager, which closes the connection at its end."""

    def __init__(
        self,
        cluster: Cluster,
        pod: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        must_end_input: bool = False,
        container: str = CONTAINER,
    ) -> None:
        """Start `command`.

        :param must_end_input: whether `end_input` will be called
        :raises NoEndOfInput: the cluster does not support that; nothing was started
        :raises PodGone: there is no such Pod, or it does not run
        """
        self._cluster = cluster
        self._pod = pod
        self._code: int | None = None
        self._is_cut = False
        self._is_unwritable = False
        params = [("container", container), ("stdout", "true")]
        params += [("stdin", "true")] if stdin else []
        params += [("tty", "true")] if tty else [("stderr", "true")]
        params += [("command", word) for word in command]
        self._session = self._open(params, must_end_input)

    def __enter__(self) -> Channels:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the command may keep running in the Pod."""
        import httpx2

        self._end_reading()
        try:
            self._session_context.__exit__(None, None, None)
        except (httpx2.HTTPError, OSError, RuntimeError):
            # It is gone already.
            return

    def _end_reading(self) -> None:
        """Let the library's thread end that waits for more.

        It would else read from whichever connection gets the socket's number after it was closed.
        """
        from httpx2.websockets import HTTPXWSException

        connection = self._session.stream.get_extra_info("socket")
        with contextlib.suppress(OSError, TypeError):
            # Not by the method of a TLS socket, which takes away what the other thread works with. Reading alone:
            # the library still writes that it closes, and with OpenSSL 3.5 under Python 3.13 a write that fails made
            # the thread's next read, of another connection, fail as well.
            socket.socket.shutdown(connection, socket.SHUT_RD)
        deadline = time.monotonic() + _END_SECONDS
        # A reader of ours may hear the end in our place.
        while not self._is_cut and time.monotonic() < deadline:
            try:
                self._session.receive(timeout=_LOOK_SECONDS)
            except (TimeoutError, queue.Empty):
                continue
            except HTTPXWSException:
                return

    @property
    def can_end_input(self) -> bool:
        """Whether the command can be told that its input ended."""
        return bool(self._session.subprotocol == _V5)

    def send(self, data: bytes) -> None:
        """Send a part of the command's input.

        :raises PodGone: the connection takes no more
        """
        for start in range(0, len(data), _PIECE):
            self._send(bytes((_STDIN,)) + data[start : start + _PIECE])

    def end_input(self) -> None:
        """Tell the command that its input ended; does nothing where the cluster does not support that."""
        if self.can_end_input:
            self._send(bytes((_CLOSE, _STDIN)))

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the command's terminal."""
        size = json.dumps({"Width": columns, "Height": rows}).encode()
        self._send(bytes((_SIZE,)) + size)

    def pieces(self, seconds: float | None = None) -> Iterator[tuple[int, bytes]]:
        """The command's output, each piece with its stream (1 stdout, 2 stderr), until the command has ended.

        :param seconds: the longest time between two pieces; None for no limit
        :raises TimeoutError: no piece came in that time
        :raises PodGone: the connection ended before the command
        """
        from httpx2.websockets import HTTPXWSException

        silent_since = time.monotonic()
        while True:
            try:
                message: bytes = self._session.receive_bytes(timeout=_TURN_SECONDS)
                silent_since = time.monotonic()
            except (TimeoutError, queue.Empty):
                # The library ends its own reading where a writer of ours met the break, and tells no reader.
                if self._is_unwritable:
                    self._is_cut = True
                    raise self._gone() from None
                if seconds is not None and time.monotonic() - silent_since > seconds:
                    raise TimeoutError from None
                continue
            except HTTPXWSException:
                self._is_cut = True
                raise self._gone() from None
            channel, data = message[:1], message[1:]
            if channel in (b"\x01", b"\x02") and data:
                yield channel[0], data
            elif channel == b"\x03":
                self._code = self._end(data)
                return

    @property
    def code(self) -> int:
        """The exit code of the command; only after `pieces` has ended."""
        assert self._code is not None, "it did not end"
        return self._code

    def _open(self, params: list[tuple[str, str]], must_end_input: bool) -> Any:
        from httpx2.websockets import WebSocketUpgradeError

        def ask() -> Any:
            self._session_context = self._cluster.http.websocket(
                self._cluster.path(self._pod, "exec"),
                subprotocols=[_V5] if must_end_input else [_V5, _V4],
                params=params,
                max_message_size_bytes=_LARGEST_MESSAGE,
                keepalive_ping_interval_seconds=_PING_SECONDS,
                keepalive_ping_timeout_seconds=_PING_SECONDS,
            )
            try:
                with explained(self._cluster.context, "run a command"):
                    return self._session_context.__enter__()
            except WebSocketUpgradeError as error:
                response = error.response
                raise self._refused(response.status_code, _read(response), must_end_input) from None

        session = self._cluster.patience.ask(ask, is_idempotent=False)
        if must_end_input and session.subprotocol != _V5:
            self._session_context.__exit__(None, None, None)
            raise NoEndOfInput
        return session

    def _refused(self, code: int, text: str, must_end_input: bool) -> Exception:
        reason, message = failures.read_status(text)
        if not reason and not message:
            message = text
            if must_end_input and code in (400, 403):
                # The handshake itself was refused, before anybody asked for rights: no protocol in common.
                return NoEndOfInput()
        context = self._cluster.context
        if code == 404:
            return no_pod(context, self._pod)
        if code in (400, 500) and ("container" in message or "phase" in message):
            return PodGone(
                f"the Pod `{self._pod}` does not run: {' '.join(message.split())[:300]}",
                f"`sandboxd status{context.option}` shows its state",
            )
        return failures.refused(context, "run a command in the Pod", code, reason, message)

    def _send(self, data: bytes) -> None:
        import httpx2
        from httpx2.websockets import HTTPXWSException

        try:
            self._session.send_bytes(data)
        except (HTTPXWSException, httpx2.HTTPError, OSError):
            self._is_unwritable = True
            raise self._gone() from None
        except Exception as error:
            # The protocol's own library says so once the connection was closed.
            if type(error).__name__ != "LocalProtocolError":
                raise
            self._is_unwritable = True
            raise self._gone() from None

    def _gone(self) -> PodGone:
        option = self._cluster.context.option
        return PodGone(
            f"the connection to the Pod `{self._pod}` broke off",
            f"`sandboxd status{option}` shows whether it still runs",
        )

    def _end(self, data: bytes) -> int:
        """The exit code that the server tells.

        :raises PodGone: it tells that it could not be run
        """
        try:
            status = json.loads(data)
            if status.get("status") == "Success":
                return 0
            if status.get("reason") == "NonZeroExitCode":
                causes = (status.get("details") or {}).get("causes") or ()
                return next(int(c["message"]) for c in causes if c.get("reason") == "ExitCode")
            message = str(status.get("message", ""))
        except (
            ValueError, AttributeError, KeyError, TypeError, StopIteration, RecursionError
        ):  # fmt: skip
            message = data.decode("utf-8", "replace")
        raise CannotBegin(self._pod, " ".join(message.split())[:400])


class CannotBegin(EnvironmentFailure):
    """The node could not start the command; `words` is the node's own message."""

    def __init__(self, pod: str, words: str) -> None:
        super().__init__(
            f"the node cannot run a command in the Pod `{pod}`: {words}",
            "`sandboxd status` with the same `--on` shows its state",
        )
        self.words = words


def _read(response: Any) -> str:
    try:
        response.read()
        return str(response.text)
    except Exception:
        # A connection that was refused in the middle has no more to say.
        return ""
