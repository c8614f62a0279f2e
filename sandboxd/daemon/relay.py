"""Passes file changes on the host on to programs inside gVisor sandboxes.

Under runsc a change made on the host is seen inside at once, but raises no inotify event there, so file watchers
inside miss it. So for each running sandbox one shell inside sets the modification time of each changed file to the
value that it has, which raises an event and alters nothing else.

What runs inside is not trusted: it gets names of the workspace's own files, nothing that it says is read, and a
sandbox that does not take them loses its relay.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping

from sandboxd.daemon.listening import Change, Changes, Listening, is_bad_name, is_nameable
from sandboxd.daemon.places import Place
from sandboxd.engine.client import Exec, connect_from
from sandboxd.errors import SandboxdError
from sandboxd.host.facts import HostFacts
from sandboxd.life import find
from sandboxd.model.container import Container
from sandboxd.model.engine_answers import Inspected

MOST_FOLDERS = 4000
"""The most folders of one workspace that are watched; those nearest to its top."""

MOST_PATHS = 200
"""The most paths that are touched at once; of a larger change, such as a checkout, only the folders are touched."""

STEP_MS = 200
"""Milliseconds between two looks at what changed. Together with the watcher of configs that wakes the daemon at most
25 times a second."""

SAME_PATH_SECONDS = 1.0
"""Seconds in which a path is not touched again, since the touch itself is reported as a change."""

_REST = 10.0
"""Listening to another set of folders takes at most a tenth of the time: builds make many folders."""

_LEFT_OUT = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", "target", ".cache"})
# The time of change is set to what it is: inside that is a change, outside it is none.
_SCRIPT = 'while IFS= read -r p; do touch -m -c -r "$p" "$p"; done >/dev/null 2>&1'

log = logging.getLogger(__name__)


class Relays:
    """The relays of all running sandboxes that need one."""

    def __init__(self) -> None:
        self._running: dict[Place, Relay] = {}

    def update(self, place: Place, environ: Mapping[str, str], wanted: bool) -> None:
        """Start or stop the relay to the sandbox at `place`, as `wanted` says."""
        relay = self._running.get(place)
        if relay is not None and (not wanted or not relay.is_alive()):
            del self._running[place]
            relay.stop()
            relay = None
        if wanted and relay is None:
            relay = self._running[place] = Relay(place.workspace, environ)
            relay.start()

    def close(self) -> None:
        for relay in self._running.values():
            relay.stop()
        self._running.clear()


class Relay:
    """Watches one workspace on the host, and touches its changed files inside the sandbox."""

    def __init__(self, workspace: str, environ: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environ = dict(environ)
        self._listener = _ChangeListener(workspace)
        self._touched: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs, so that changes are passed on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Have the thread end soon."""
        self._listener.end()

    def _run(self) -> None:
        try:
            connection, target = self._connect()
            with connection:
                self._listener.open()
                log.info("relaying edits of `%s` to its sandbox", self._workspace)
                self._pass_on(connection, target)
        except (OSError, SandboxdError) as error:
            log.info("no relay of edits for `%s`: %s", self._workspace, error)
        except Exception:
            log.exception("relaying edits of `%s` failed", self._workspace)
        finally:
            self._listener.close()

    def _connect(self) -> tuple[socket.socket, str]:
        """A connection to a shell in the sandbox, and the path of the workspace there.

        :raises OSError: there is none, or it does not show the workspace
        """
        engine = connect_from(self._environ)
        container = find.running_sandbox(engine, self._workspace)
        target = _target(engine.inspect(container.id), self._workspace) if container else None
        if container is None or target is None:
            raise OSError("no running container shows the workspace")
        started = engine.exec_create(container.id, Exec(["sh", "-c", _SCRIPT], stdin=True))
        connection, _ = engine.exec_start(started, False)
        connection.settimeout(5.0)
        return connection, target

    def _pass_on(self, connection: socket.socket, target: str) -> None:
        """Pass changes on until `stop`, or until the sandbox's shell ends.

        :raises OSError: the system gives no more events, or the shell does not take what changed
        """
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._listener.is_ended:
                ready = {key.fileobj for key, _ in selector.select(self._listener.wait_seconds)}
                if connection in ready and not connection.recv(65536):
                    return
                paths = self._due(self._listener.take())
                if lines := list(_lines(paths, self._workspace, target)):
                    connection.sendall(b"".join(lines))

    def _due(self, paths: set[str]) -> set[str]:
        """The paths to touch now; none twice within a short time."""
        if len(paths) > MOST_PATHS:
            paths = set(sorted({os.path.dirname(path) for path in paths})[:MOST_PATHS])
        # A removed file cannot be touched, so its folder is.
        paths = {path if os.path.lexists(path) else os.path.dirname(path) for path in paths}
        now = time.monotonic()
        due = {
            p for p in paths if now - self._touched.get(p, -SAME_PATH_SECONDS) >= SAME_PATH_SECONDS
        }
        if len(self._touched) > 10 * MOST_PATHS:
            self._touched.clear()
        self._touched.update(dict.fromkeys(due, now))
        return due


class _ChangeListener:
    """The changes in a workspace, and a descriptor that is readable when there are some.

    A new folder is listened to after a moment: until then changes in it are not passed on.
    """

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._receive, self._send = socket.socketpair()
        self._send.setblocking(False)
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._moved: set[str] = set()
        self._error: Exception | None = None
        self._listening: Listening | None = None
        self._folders: frozenset[str] = frozenset()
        self._renew_at: float | None = None
        self._rested_at = 0.0
        self.is_ended = False

    def fileno(self) -> int:
        """The descriptor, which is readable when there are changes to take."""
        return self._receive.fileno()

    @property
    def wait_seconds(self) -> float | None:
        """Seconds until `open` has to be called again; None where it need not be."""
        return None if self._renew_at is None else max(0.0, self._renew_at - time.monotonic())

    def open(self) -> None:
        """Listen to the folders that the workspace has now; the earlier run ends after the new one began."""
        began = time.monotonic()
        self._renew_at = None
        self._folders = frozenset(filter(is_nameable, folders_below(self._workspace)))
        old, self._listening = (
            self._listening,
            Listening(self._folders, self._tell, self._failed, STEP_MS),
        )
        self._listening.start()
        self._listening.wait_until_it_listens()
        if old is not None:
            old.stop()
        self._rested_at = time.monotonic() + (time.monotonic() - began) * _REST

    def take(self) -> set[str]:
        """The paths that changed since the last call.

        :raises OSError: the system gives no more events
        """
        with contextlib.suppress(BlockingIOError):
            self._receive.recv(4096, socket.MSG_DONTWAIT)
        with self._lock:
            paths, self._paths = self._paths, set()
            moved, self._moved = self._moved, set()
            error, self._error = self._error, None
        if error is not None and not is_bad_name(error):
            raise OSError(str(error))
        if self._renew_at is None and (error is not None or any(map(self._is_folder, moved))):
            self._renew_at = max(time.monotonic(), self._rested_at)
        if self._renew_at is not None and time.monotonic() >= self._renew_at:
            self.open()
        return paths

    def end(self) -> None:
        """Wake a waiting thread, which then checks `is_ended`; may be called from any thread."""
        self.is_ended = True
        self._wake()

    def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.stop()
        self._receive.close()
        self._send.close()

    def _is_folder(self, path: str) -> bool:
        """Whether a path that appeared or went is a folder to listen to."""
        return path in self._folders or (
            os.path.basename(path) not in _LEFT_OUT and _is_folder(path)
        )

    def _tell(self, changes: Changes) -> None:
        with self._lock:
            self._paths |= {path for _, path in changes}
            self._moved |= {path for change, path in changes if change is not Change.modified}
        self._wake()

    def _failed(self, error: Exception) -> None:
        self._error = error
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._send.send(b"x")


def is_gvisor(facts: HostFacts | None, container: Container | None) -> bool:
    """Whether a container runs under gVisor, as far as that is known."""
    runtime = container.runtime if container is not None else None
    if runtime is None or facts is None or facts.engine is None:
        return False
    definition = facts.engine.runtime(runtime.value)
    return definition is not None and definition.gvisor is True


def folders_below(top: str, most: int = MOST_FOLDERS) -> Iterator[str]:
    """`top` and at most `most` folders below it, without those that file watchers ignore, such as `node_modules`."""
    waiting = [top]
    while waiting and most > 0:
        folder = waiting.pop()
        most -= 1
        yield folder
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            waiting += [
                entry.path
                for entry in entries
                if entry.name not in _LEFT_OUT and entry.is_dir(follow_symlinks=False)
            ]


def _lines(paths: Iterable[str], workspace: str, target: str) -> Iterator[bytes]:
    for path in sorted(paths):
        below = os.path.relpath(path, workspace)
        if below.startswith("..") or "\n" in path:
            continue
        yield os.fsencode(target if below == "." else f"{target}/{below}") + b"\n"


def _target(inspected: Inspected, workspace: str) -> str | None:
    """The path of the workspace inside; None when it is a copy or not mounted."""
    for mount in inspected.get("Mounts") or []:
        if mount.get("Type") == "bind" and mount.get("Source") == workspace:
            return str(mount.get("Destination")).rstrip("/")
    return None


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
