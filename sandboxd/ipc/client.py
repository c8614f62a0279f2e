"""The client end of the daemon's socket for commands: connect, start the daemon when needed, send requests, read
events.

Synchronous and without asyncio: a command sends one request and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandboxd import __version__
from sandboxd.errors import DaemonError
from sandboxd.ipc import address, messages
from sandboxd.ipc.dial import GREETING_SECONDS, NoAnswer, engine_variables
from sandboxd.ipc.start import LOG_HINT, is_claimed, not_listening
from sandboxd.ipc.start import start as start_daemon

START_SECONDS = 2.0
"""Seconds that an editor or a command with other work waits for a daemon that it started."""

PATIENT_SECONDS = 30.0
"""The same for a command that needs the daemon, or that leaves a sandbox running for it to watch.

It usually takes half a second; on a machine that is overloaded twenty times, ten."""

END_SECONDS = 30.0
"""Seconds that a daemon may take to end after it confirmed the request: it completes what it has begun."""

_ATTEMPTS = 5


class ConnectionLost(DaemonError):
    """The daemon ended, or ended the connection, before it answered."""


class Client:
    """A connection to the daemon on which `hello` was answered."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._next_id = 0
        self._early: list[dict[str, Any]] = []
        self.daemon_version = ""
        self.daemon_pid = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def detach(self) -> socket.socket:
        """The connection's socket in blocking mode, for another protocol; this object must not be used any more."""
        self._connection.settimeout(None)
        return self._connection

    def greet(self, environ: Mapping[str, str], cwd: str) -> None:
        """Send `hello`, which must be the first request.

        :raises DaemonError: the daemon does not answer as one of ours
        """
        hello: messages.Hello = {
            "version": __version__,
            "engine": engine_variables(environ),
            "cwd": cwd,
        }
        welcome = self.request(messages.HELLO, dict(hello), timeout=GREETING_SECONDS)
        if not isinstance(welcome, dict) or not isinstance(welcome.get("pid"), int):
            raise DaemonError("the daemon did not answer the greeting", LOG_HINT)
        self.daemon_version = str(welcome.get("version"))
        self.daemon_pid = welcome["pid"]

    def request(self, method: str, params: Mapping[str, object], timeout: float = 30.0) -> Any:
        """Send a request and return its result; notifications that come meanwhile are kept for `events`.

        :param timeout: in seconds
        :raises DaemonError: no answer came in time, the connection ended, or the daemon refused
        """
        self._next_id += 1
        number = self._next_id
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)}
        deadline = time.monotonic() + timeout
        try:
            self._connection.settimeout(timeout)
            self._connection.sendall(json.dumps(message).encode("ascii") + b"\n")
            while True:
                answer = self._read(deadline)
                if answer.get("id") == number:
                    break
                self._early.append(answer)
        except TimeoutError:
            raise NoAnswer(
                f"the daemon did not answer `{method}` within {timeout:.0f} s", LOG_HINT
            ) from None
        except OSError as error:
            raise _lost(error) from None
        if "error" in answer:
            problem = answer["error"] if isinstance(answer["error"], dict) else {}
            data = problem.get("data")
            hint = data.get("hint", "") if isinstance(data, dict) else ""
            raise DaemonError(str(problem.get("message", "the daemon failed")), str(hint))
        return answer.get("result")

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(method, params) of each notification, until the daemon ends the connection."""
        while True:
            try:
                message = self._early.pop(0) if self._early else self._read(None)
            except OSError:
                return
            except DaemonError:
                return
            if "method" in message:
                yield str(message["method"]), message.get("params") or {}

    def poll(self, seconds: float, also: Sequence[int] = ()) -> tuple[str, dict[str, Any]] | None:
        """(method, params) of the next notification; None after `seconds`, or when a descriptor in `also` is
        readable.

        :raises DaemonError: the daemon ended the connection
        """
        import select

        if not self._early and b"\n" not in self._buffer:
            # Not `select`: it takes no descriptor above 1023.
            waiting = select.poll()
            for descriptor in (self._connection.fileno(), *also):
                waiting.register(descriptor, select.POLLIN)
            ready = [descriptor for descriptor, _ in waiting.poll(seconds * 1000)]
            if self._connection.fileno() not in ready:
                return None
        try:
            message = self._early.pop(0) if self._early else self._read(time.monotonic() + 5.0)
        except OSError as error:
            raise _lost(error) from None
        return str(message.get("method")), message.get("params") or {}

    def _read(self, deadline: float | None) -> dict[str, Any]:
        while (end := self._buffer.find(b"\n")) < 0:
            if deadline is not None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError
                self._connection.settimeout(remaining)
            else:
                self._connection.settimeout(None)
            part = self._connection.recv(262144)
            if not part or len(self._buffer) > messages.MAX_LINE:
                raise ConnectionLost("the daemon ended the connection", LOG_HINT)
            self._buffer += part
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise DaemonError("the daemon sent something that is not a message", LOG_HINT)
        return message


def connect(
    environ: Mapping[str, str],
    cwd: str | None = None,
    *,
    start: bool,
    patience: float = START_SECONDS,
) -> Client | None:
    """Connect to the daemon; None when no daemon runs and `start` is False.

    A daemon of an older version is replaced by one of this version when `start` is True.

    :param cwd: the client's working directory; None for that of this process
    :param start: whether to start a daemon when none runs
    :param patience: seconds to wait for a daemon that is starting
    :raises DaemonError: the socket cannot be trusted, or the daemon does not start or answer
    """
    if not hasattr(socket, "AF_UNIX") or not hasattr(os, "getuid"):
        if start:
            raise DaemonError("there is no daemon on this system", "use sandboxd inside WSL2")
        return None
    cwd = cwd or _cwd()
    client = _connect_once(environ, cwd)
    if client is not None and start and _is_older(client.daemon_version):
        with client:
            _make_way(client, environ)
        client = None
    if client is not None or not start:
        return client
    # A daemon that was just killed may take a connection with its last breath: start another.
    for _ in range(_ATTEMPTS):
        start_daemon(environ, patience)
        client = _connect_once(environ, cwd)
        if client is not None:
            return client
        time.sleep(0.02)
    raise DaemonError("the daemon ended as soon as it was started", LOG_HINT)


def register(environ: Mapping[str, str], workspace: str, *, start: bool) -> str | None:
    """Have the daemon generate the files of `workspace` after each change; returns why it cannot, or None.

    For commands whose own work does not depend on the daemon: never raises a `DaemonError`.
    """
    try:
        client = connect(environ, workspace, start=start)
        if client is None:
            return "no daemon is running"
        with client:
            project: messages.ProjectPath = {"path": workspace}
            client.request(messages.PROJECT_REGISTER, project, timeout=5.0)
    except DaemonError as error:
        return error.message
    return None


def list_projects(environ: Mapping[str, str]) -> list[messages.Remembered] | None:
    """The projects that are registered with the daemon; None when no daemon runs.

    :raises DaemonError: it does not answer
    """
    client = connect(environ, start=False)
    if client is None:
        return None
    with client:
        answer: messages.Listed = client.request(messages.PROJECT_LIST, {}, timeout=5.0)
    return answer["projects"]


def end(environ: Mapping[str, str], timeout: float = END_SECONDS) -> int:
    """End the daemon, if one runs, and wait until it has ended; returns its process id, 0 if it did not have to be
    told.

    A daemon that is just starting is waited for and then ended; one that is already ending is waited for.

    :raises DaemonError: it does not answer, or is still there after `timeout` seconds
    """
    deadline = time.monotonic() + timeout
    while True:
        client = connect(environ, start=False)
        if client is not None:
            # Somebody else may be ending it: then it is waited for below.
            with client, contextlib.suppress(ConnectionLost):
                stop(client, timeout)
                return client.daemon_pid
        if not hasattr(os, "getuid") or not is_claimed(address.folder(environ, os.getuid())):
            return 0
        if time.monotonic() > deadline:
            raise not_listening(timeout)
        time.sleep(0.01)


def stop(client: Client, timeout: float = END_SECONDS) -> None:
    """Ask the daemon to end, and wait until it has.

    :raises DaemonError: it is still there after `timeout` seconds
    """
    pid = client.daemon_pid
    client.request(messages.SHUTDOWN, {}, timeout=timeout)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not _alive(pid):
            return
        time.sleep(0.01)
    raise DaemonError(f"the daemon (pid {pid}) did not end within {timeout:.0f} s", f"`kill {pid}`")


def attach(client: Client, environ: Mapping[str, str]) -> socket.socket:
    """Turn the connection into one of the language server protocol; returns its socket, which the caller owns.

    :raises DaemonError: the daemon does not serve editors
    """
    params: messages.Attach = {"environ": dict(environ)}
    client.request(messages.LSP_ATTACH, params, timeout=10.0)
    return client.detach()


def _make_way(client: Client, environ: Mapping[str, str], timeout: float = END_SECONDS) -> None:
    """Make a daemon release the socket, and wait until it did; it may go on to serve its editors.

    :raises DaemonError: it still holds the socket after `timeout` seconds
    """
    where = address.folder(environ, os.getuid())
    params: messages.Shutdown = {"handover": True}
    client.request(messages.SHUTDOWN, params, timeout=timeout)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not is_claimed(where):
            return
        time.sleep(0.01)
    pid = client.daemon_pid
    raise DaemonError(f"the daemon (pid {pid}) did not make way", f"`kill {pid}`")


def _connect_once(environ: Mapping[str, str], cwd: str) -> Client | None:
    uid = os.getuid()
    where = address.folder(environ, uid)
    path = address.socket_path(where)
    if not address.check_folder(where, uid) or not address.check_socket(path, uid):
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = 0
    try:
        connection.settimeout(GREETING_SECONDS)
        connection.connect(path)
        pid = _check_peer(connection, uid)
        client = Client(connection)
        client.greet(environ, cwd)
    except (ConnectionRefusedError, FileNotFoundError, ConnectionLost):
        connection.close()
        return None
    except (TimeoutError, NoAnswer):
        connection.close()
        process = f" (pid {pid})" if pid else ""
        hint = f"`kill -9 {pid}`, then run the command again" if pid else LOG_HINT
        raise NoAnswer(f"the daemon{process} does not answer", hint) from None
    except OSError as error:
        connection.close()
        raise _lost(error) from None
    except BaseException:
        connection.close()
        raise
    return client


def _check_peer(connection: socket.socket, uid: int) -> int:
    """The daemon's pid, 0 where the system does not tell; then the folder's mode must do.

    :raises DaemonError: it runs as another user
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, peer, _ = struct.unpack("3i", raw)
    if peer != uid:
        raise DaemonError(f"the daemon on the socket runs as user {peer}, not as you ({uid})")
    return int(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A daemon started by this process stays a zombie until it is reaped.
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False


def _is_older(version: str) -> bool:
    return _numbers(version) < _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"


def _lost(error: OSError) -> ConnectionLost:
    reason = (error.strerror or type(error).__name__).lower()
    return ConnectionLost(f"the connection to the daemon failed: {reason}", LOG_HINT)
