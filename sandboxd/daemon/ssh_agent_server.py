"""The SSH agent of one sandbox: its socket inside, and a filter for each client."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

from sandboxd.credentials.ssh_agent.filter import Filter
from sandboxd.errors import SandboxdError
from sandboxd.forward.trunk import open_trunk
from sandboxd.inside import agent_socket
from sandboxd.inside.frames import Broken
from sandboxd.inside.relay import Relay

if TYPE_CHECKING:
    from sandboxd.credentials.ssh_agent.choice import Choice
    from sandboxd.credentials.ssh_agent.filter import Report
    from sandboxd.engine.client import Engine
    from sandboxd.forward.trunk import Trunk
    from sandboxd.policy.rights import KeyRights

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 30.0
_STEADY_SECONDS = 10.0
"""If a stream ends sooner than this, the pause before the next one is longer than the last pause."""

_MOST_CLIENTS = 32

log = logging.getLogger(__name__)


class Server:
    """Serves the agent of one sandbox. `run` uses one thread; `stop` may be called from another."""

    def __init__(
        self,
        engine: Engine,
        choice: Choice,
        rights: KeyRights,
        report: Report,
        cache_folder: str | None,
    ) -> None:
        """:param choice: of the start of the container
        :param rights: what may be given of that, and to which container
        :param report: called with each login, in a thread of its client
        :param cache_folder: where a Python for images without one is cached
        """
        self._engine, self._choice, self._rights = engine, choice, rights
        self._report, self._cache_folder = report, cache_folder
        self._wake, self._waker = os.pipe()
        self._lock = threading.Lock()
        """Held while the pipe is written or closed: later its descriptors may be those of other connections."""
        self._is_stopped = self._is_closed = False
        self._clients = threading.BoundedSemaphore(_MOST_CLIENTS)
        self.problem = ""
        """The reason why the sandbox has no agent at the moment; '' while it has."""

    def stop(self) -> None:
        """Make `run` end soon."""
        with self._lock:
            if not (self._is_stopped or self._is_closed):
                os.write(self._waker, b"\0")
            self._is_stopped = True

    def close(self) -> None:
        """Release all resources, after `run` has ended."""
        with self._lock:
            if not self._is_closed:
                os.close(self._wake)
                os.close(self._waker)
            self._is_closed = True

    def run(self) -> None:
        """Serve until `stop`; a stream that ends or fails is opened again."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_stopped:
            began = time.monotonic()
            try:
                self._serve(
                    open_trunk(
                        self._engine, self._rights.container, self._cache_folder, agent_socket
                    )
                )
            except Broken as error:
                self.problem = f"the relay in the sandbox breaks its protocol: it sent {error}"
            except SandboxdError as error:
                self.problem = error.message
            except Exception as error:
                # Whoever is inside must find nothing that ends it.
                self.problem = (
                    f"a fault of sandboxd (`{type(error).__name__}`), which is in its log"
                )
                log.exception("serving an agent failed")
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            select.select([self._wake], [], [], pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _serve(self, trunk: Trunk) -> None:
        """Relay until the stream ends.

        :raises Broken: the other end breaks the protocol
        """
        relay = Relay(trunk, self._dial)
        relay.wake_by(self._wake)
        self.problem = ""
        try:
            while not self._is_stopped and relay.turn(None):
                pass
        except OSError:
            pass  # as an end: whoever is at the other one is gone
        finally:
            relay.close()
            trunk.close()
        words = " ".join(trunk.words.split())[:300]
        self.problem = f"the relay in the sandbox ended{f': {words}' if words else ''}"

    def _dial(self, _target: str) -> socket.socket:
        """A connection to a new filter, whatever target the other end names.

        :raises OSError: there are too many
        """
        if not self._clients.acquire(blocking=False):
            raise OSError(0, "too many clients of the agent")
        with contextlib.ExitStack() as undo:
            undo.callback(self._clients.release)
            client, end = socket.socketpair()
            undo.callback(client.close)
            undo.callback(end.close)
            thread = threading.Thread(
                target=self._answer, args=(end,), name="ssh-agent", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:
                raise OSError(0, str(error)) from None
            undo.pop_all()
        return client

    def _answer(self, end: socket.socket) -> None:
        try:
            Filter(self._choice, self._rights, self._report).serve(end)
        finally:
            self._clients.release()
