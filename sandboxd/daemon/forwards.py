"""Forwards ports of a running sandbox to ports of this machine (`forwardPorts`)."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.forward import local
from sandboxd.forward.forwarder import Forwarded, Forwarder
from sandboxd.forward.ports import Wish
from sandboxd.forward.trunk import open_trunk
from sandboxd.life.service_address import address_of
from sandboxd.status.model import OpenPort

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.engine.client import Engine
    from sandboxd.model.remote import Port
    from sandboxd.policy.rights import PortRights

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0
_STEADY_SECONDS = 60.0
"""Ports that were forwarded no longer wait longer than before for the next try."""


class _Door(NamedTuple):
    """The address of a port on this machine, or why it has none."""

    url: str = ""
    problem: str = ""


class Forwards:
    """Forwards the ports of one sandbox, in a thread that starts at once."""

    def __init__(
        self,
        workspace: str,
        engine: Engine,
        rights: PortRights,
        folder: str | None,
        before: Forwards | None,
    ) -> None:
        """
        :param rights: the container, and the ports that it may have on this machine
        :param folder: the folder that caches a Python for images without one; None for no cache
        :param before: the object that this one replaces, which may still hold the same ports; None for none
        """
        self.rights = rights
        self.thread = threading.Thread(
            target=self._run, args=(before,), name="forward", daemon=True
        )
        self._workspace = workspace
        self._engine = engine
        self._folder = folder
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._forwarder: Forwarder | None = None
        self._doors: dict[Port, _Door] = {}
        """Written by the thread; the event loop reads a copy of its rows."""
        self._problem = ""
        self.thread.start()

    def stop(self) -> None:
        """Have the thread close the ports and their connections soon."""
        with self._lock:
            self._stopped.set()
            if self._forwarder is not None:
                self._forwarder.stop()

    def has_tried(self, ports: Collection[Port]) -> bool:
        """Whether each of `ports` is open by now, or is known not to be possible."""
        return all(port in self._doors for port in ports)

    def lines(self) -> tuple[str, ...]:
        """A line for a person on each port: its URL on this machine, or why it has none."""
        forwarder = self._forwarder
        problem = forwarder.problem if forwarder is not None else self._problem
        if problem:
            return (f"not forwarded: {problem}",)
        return tuple(
            f"{port.text}{f' ({port.label})' if port.label else ''}: {door.url or door.problem}"
            for port, door in list(self._doors.items())
        )

    def open_ports(self) -> tuple[OpenPort, ...]:
        """The ports that are forwarded now."""
        forwarder = self._forwarder
        if forwarder is None or forwarder.problem:
            return ()
        return tuple(
            OpenPort(port.number, port.service, port.label, door.url)
            for port, door in list(self._doors.items())
            if door.url
        )

    def _run(self, before: Forwards | None) -> None:
        if before is not None:
            before.thread.join()
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                if not self._forward():
                    return
            except SandboxdError as error:
                self._problem = error.message
                log.info("ports of `%s` are not forwarded: %s", self._workspace, error)
            except Exception as error:
                self._problem = (
                    f"a fault of sandboxd (`{type(error).__name__}`), which is in its log"
                )
                log.exception("ports of `%s` are not forwarded", self._workspace)
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _forward(self) -> bool:
        """Forward until `stop`; returns whether any port could be listened on."""
        forwarder = self._listen()
        if forwarder is None:
            self._problem = ""
            return False
        try:
            forwarder.run()
        finally:
            with self._lock:
                self._forwarder = None
            forwarder.close()
        return True

    def _listen(self) -> Forwarder | None:
        """Listen on every port that is free; None where none is, or `stop` was called."""
        forwarded: list[Forwarded] = []
        for port in self.rights.ports:
            wish = Wish(port.number, port.here or port.number, port.needs_same, port.label)
            try:
                entry = Forwarded(local.listen(wish), port.number, port.service)
            except SandboxdError as error:
                self._doors[port] = _Door(problem=error.message)
                continue
            forwarded.append(entry)
            self._doors[port] = _Door(f"{port.scheme}://{local.LOOPBACK}:{entry.local}")
        forwarder = Forwarder(
            lambda container: open_trunk(self._engine, container, self._folder),
            lambda: self.rights.container,
            forwarded,
            lambda text: log.debug("`%s`: %s", self._workspace, text),
            lambda service: address_of(self._engine, self._workspace, service),
        )
        with self._lock:
            if forwarded and not self._stopped.is_set():
                # Until it carries again, why it did not is still what there is to say.
                forwarder.problem = self._problem
                self._forwarder = forwarder
                return forwarder
        forwarder.close()
        return None
