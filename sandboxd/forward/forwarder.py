"""Forwards ports of one sandbox until it is stopped; when the stream into the sandbox ends, it opens a new one."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.inside.frames import Broken
from sandboxd.inside.relay import Relay

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from sandboxd.forward.trunk import Trunk

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_AFTER_LIES_SECONDS = 30.0
_STEADY_SECONDS = 10.0
"""A stream that ends sooner is followed by a longer pause than the one before it."""
_HINT = "`sandboxd shell` opens a shell to look around"


class Forwarded(NamedTuple):
    """A listening socket on this machine, and the port of the sandbox that its connections go to."""

    listener: socket.socket
    inside: int
    service: str = ""
    """The Compose service whose port it is; '' for the sandbox itself."""

    @property
    def local(self) -> int:
        """The port on this machine."""
        return int(self.listener.getsockname()[1])


class Forwarder:
    """Forwards ports of one sandbox, in the thread that calls `run`.

    `stop` may be called from another thread, or from a signal handler.
    """

    def __init__(
        self,
        open_stream: Callable[[str], Trunk],
        locate: Callable[[], str],
        ports: Sequence[Forwarded],
        tell: Callable[[str], None],
        address_of: Callable[[str], str] = lambda _service: "",
    ) -> None:
        """:param open_stream: starts the relay in the container with this id; raises EnvironmentFailure where it
            cannot
        :param locate: returns the id of the running container; raises ContainerGone where none runs
        :param address_of: returns the IP address of a service as the sandbox reaches it, '' for the sandbox itself;
            raises ContainerGone where the service does not run
        :param tell: called with a sentence about each failure, and when it is over
        """
        self._open_stream = open_stream
        self._locate = locate
        self.ports = ports
        self._tell = tell
        self._address_of = address_of
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._is_stopped = False
        self._has_worked = False
        self.problem = ""
        """Why nothing is forwarded at the moment, for a person; '' while a stream is open, or no sandbox runs."""

    def stop(self) -> None:
        """Have `run` return soon."""
        self._is_stopped = True
        os.write(self._waker, b"\0")

    def close(self) -> None:
        """Close the listening sockets; only after `run` has returned."""
        for port in self.ports:
            port.listener.close()
        os.close(self._wake)
        os.close(self._waker)

    def run(self) -> None:
        """Forward until `stop`; connections that come while no sandbox runs wait for it.

        :raises EnvironmentFailure: the first stream cannot be opened
        """
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_stopped:
            longest = _LONGEST_PAUSE_SECONDS
            began = time.monotonic()
            try:
                self._forward()
            except Broken as error:
                longest = _LONGEST_PAUSE_AFTER_LIES_SECONDS
                self.problem = f"the relay in the sandbox breaks its protocol: it sent {error}"
                if not self._has_worked:
                    raise EnvironmentFailure(self.problem, _HINT) from None
                self._tell(f"{self.problem}; connections wait until it is started again")
            except EnvironmentFailure:
                if not self._has_worked:
                    raise
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            select.select([self._wake], [], [], min(pause, longest))
            pause = min(2 * pause, longest)

    def _forward(self) -> None:
        """Open one stream and relay until it ends.

        :raises Broken: the other end breaks the protocol
        :raises EnvironmentFailure: there is no sandbox, or the relay does not start in it
        """
        container = self._locate()
        targets = [self._target(port) for port in self.ports]
        trunk = self._open_stream(container)
        if not self._serve(trunk, targets):
            raise EnvironmentFailure(
                f"the relay in the sandbox does not start: {_words(trunk)}", _HINT
            )
        if not self._is_stopped:
            self._tell("the sandbox, or its relay, ended; connections wait until it is back")

    def _serve(self, trunk: Trunk, targets: Sequence[str]) -> bool:
        """Relay until the stream ends; returns whether it carried anything, or had nothing to carry.

        :raises Broken: the other end breaks the protocol
        """
        relay = Relay(trunk, refused=self._say_refused)
        for port, target in zip(self.ports, targets, strict=True):
            relay.listen(port.listener, target)
        relay.wake_by(self._wake)
        was_ready = False
        try:
            while not self._is_stopped and relay.turn(None):
                if relay.is_ready and not was_ready:
                    was_ready = True
                    self._begin()
        except OSError:
            pass  # as an end: whoever is at the other one is gone
        finally:
            relay.close()
            trunk.close()
        return was_ready or self._is_stopped

    def _target(self, port: Forwarded) -> str:
        address = self._address_of(port.service) if port.service else ""
        return f"{address}:{port.inside}" if address else str(port.inside)

    def _begin(self) -> None:
        is_back, self._has_worked = self._has_worked, True
        # Before it is told: whoever hears of it may ask for the problem.
        self.problem = ""
        if is_back:
            self._tell("the sandbox is back: its ports are forwarded again")

    def _say_refused(self, target: str, why: str) -> None:
        self._tell(f"port {target} inside: {why}")


def _words(trunk: Trunk) -> str:
    return " ".join(trunk.words.split())[:300] or "it ended at once"
