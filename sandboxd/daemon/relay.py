"""Host edits made known inside gVisor sandboxes.

Under runsc a change made on the host is seen inside at once, but raises no inotify event there:
file watchers stay deaf. So for each running sandbox one shell inside sets the
time of change of what was changed to what it is, which does raise one: nothing else is altered.

What runs inside is not trusted: it gets names of the workspace's own files, nothing it says is
read, and a sandbox that does not take them loses its relay.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandboxd.daemon.kernel_watch import KernelWatch
from sandboxd.engine.client import Exec, connect_from
from sandboxd.errors import SandboxdError
from sandboxd.host.facts import HostFacts
from sandboxd.life import find
from sandboxd.model.container import Container

MOST_FOLDERS = 4000
MOST_PATHS = 200
"""Of one moment; of a larger change (a checkout) only the folders are touched."""

PAUSE_SECONDS = 0.1
SAME_PATH_SECONDS = 1.0

_LEFT_OUT = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", "target", ".cache"})
# The time of change is set to what it is: inside that is a change, outside it is none.
_SCRIPT = 'while IFS= read -r p; do touch -m -c -r "$p" "$p"; done >/dev/null 2>&1'

log = logging.getLogger(__name__)


class Relays:
    """One thread for each running sandbox that needs one."""

    def __init__(self) -> None:
        self._running: dict[str, Relay] = {}

    def update(self, workspace: str, environ: Mapping[str, str], wanted: bool) -> None:
        """Have a relay for `workspace`, or none."""
        relay = self._running.get(workspace)
        if relay is not None and (not wanted or not relay.is_alive()):
            del self._running[workspace]
            relay.stop()
            relay = None
        if wanted and relay is None:
            relay = self._running[workspace] = Relay(workspace, environ)
            relay.start()

    def close(self) -> None:
        for relay in self._running.values():
            relay.stop()
        self._running.clear()


class Relay:
    """Watches one workspace on the host, and touches inside what changed."""

    def __init__(self, workspace: str, environ: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environ = dict(environ)
        self._end, self._ending = os.pipe()
        self._touched: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._ending, b"x")

    def _run(self) -> None:
        try:
            connection, target = self._connect()
            with connection, contextlib.closing(KernelWatch()) as watch:
                for folder in folders_below(self._workspace):
                    watch.add(folder)
                log.info("relaying edits of `%s` to its sandbox", self._workspace)
                self._pass_on(watch, connection, target)
        except (OSError, SandboxdError) as error:
            log.info("no relay of edits for `%s`: %s", self._workspace, error)
        except Exception:
            log.exception("relaying edits of `%s` failed", self._workspace)
        finally:
            os.close(self._end)
            ending, self._ending = self._ending, -1
            os.close(ending)

    def _connect(self) -> tuple[socket.socket, str]:
        """A shell in the sandbox, and where it has the workspace.

        :raises OSError: there is none, or it does not show the workspace
        """
        engine = connect_from(self._environ)
        found = find.find(engine, self._workspace)
        target = _target(engine.inspect(found.id), self._workspace) if found else None
        if found is None or target is None:
            raise OSError("no running container shows the workspace")
        started = engine.exec_create(found.id, Exec(["sh", "-c", _SCRIPT], stdin=True))
        connection, _ = engine.exec_start(started, False)
        connection.settimeout(5.0)
        return connection, target

    def _pass_on(self, watch: KernelWatch, connection: socket.socket, target: str) -> None:
        while True:
            ready, _, _ = select.select([watch.fileno(), connection.fileno(), self._end], [], [])
            if self._end in ready:
                return
            if connection.fileno() in ready and not connection.recv(65536):
                return
            if watch.fileno() in ready:
                # A save makes several events, a checkout thousands.
                time.sleep(PAUSE_SECONDS)
                paths = self._due(set(watch.read()), watch)
                if lines := list(_lines(paths, self._workspace, target)):
                    connection.sendall(b"".join(lines))

    def _due(self, paths: set[str], watch: KernelWatch) -> set[str]:
        """What to touch: new folders are watched from now on, the same path not at once again."""
        for path in paths:
            if os.path.basename(path) not in _LEFT_OUT and _is_folder(path):
                for folder in folders_below(path):
                    watch.add(folder)
        if len(paths) > MOST_PATHS:
            paths = set(sorted({os.path.dirname(path) for path in paths})[:MOST_PATHS])
        # Of what is gone only the folder can tell.
        paths = {path if os.path.lexists(path) else os.path.dirname(path) for path in paths}
        now = time.monotonic()
        due = {
            p for p in paths if now - self._touched.get(p, -SAME_PATH_SECONDS) >= SAME_PATH_SECONDS
        }
        if len(self._touched) > 10 * MOST_PATHS:
            self._touched.clear()
        self._touched.update(dict.fromkeys(due, now))
        return due


def is_gvisor(facts: HostFacts | None, container: Container | None) -> bool:
    """Whether a container runs under gVisor, as far as that is known."""
    runtime = container.runtime if container is not None else None
    if runtime is None or facts is None or facts.engine is None:
        return False
    known = facts.engine.runtime(runtime.value)
    return known is not None and known.gvisor is True


def folders_below(top: str, most: int = MOST_FOLDERS) -> Iterator[str]:
    """`top` and the folders below it, without those that no watcher of sources looks into."""
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


def _target(inspected: Mapping[str, Any], workspace: str) -> str | None:
    """Where the container has the workspace, None when it is a copy or not there."""
    for mount in inspected.get("Mounts") or []:
        if mount.get("Type") == "bind" and mount.get("Source") == workspace:
            return str(mount.get("Destination")).rstrip("/")
    return None


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
