"""The host's end of a gateway's control channel: commands out, events in.

The gateway is attached to, so the channel works wherever the engine is. Others may be attached, too: each sees
all events. The engine passes a long line on in pieces, and puts pieces of other writers between them: so one writes
at a time, until its answer shows that all of it has arrived.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from sandboxd.deadline import looks_within
from sandboxd.egress.messages import event_of
from sandboxd.engine.frames import Frames
from sandboxd.errors import EnvironmentFailure
from sandboxd.life.lock import gateway_turn
from sandboxd.model.sandbox_id import name_of, name_option, workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Self

    from sandboxd.egress.messages import Command, Event
    from sandboxd.engine.client import Engine

ANSWER_SECONDS = 25.0
"""A gateway answers at once; only one that hangs, or is slow on a very busy machine, needs longer."""

GATEWAY_USER = 65532
"""What the gateway becomes, and what talks to it."""

_SENDINGS = 3
"""How often a command is sent in all when another writer, which did not take the lock, garbles it."""

_LONGEST_LINE = 1 << 20
_LAST_WORDS = 5

T = TypeVar("T")


class Channel:
    """The attached stream of one gateway. Not thread-safe, except for `close`."""

    def __init__(
        self,
        connection: socket.socket,
        first: bytes = b"",
        turn: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
        sandbox: str = "",
    ) -> None:
        """:param first: bytes that arrived with the engine's answer
        :param turn: keeps other writers away while it is entered
        :param sandbox: the identity of the sandbox whose gateway it is, for messages; '' if nobody knows
        """
        self._sandbox = sandbox
        self._connection = connection
        self.turn = turn
        self._frames = Frames()
        self._lines = {1: b"", 2: b""}
        self._events: deque[Event] = deque()
        self._errors: deque[str] = deque(maxlen=_LAST_WORDS)
        self._take(first)

    def send(self, command: Command) -> None:
        """Send a command. The caller holds `turn` until the command is answered.

        :raises EnvironmentFailure: the gateway ended
        """
        # The first newline ends a line that another process left half-written.
        line = b"\n" + json.dumps(command, separators=(",", ":")).encode() + b"\n"
        try:
            self._connection.settimeout(ANSWER_SECONDS)
            self._connection.sendall(line)
        except OSError:
            raise self.ended() from None

    def ask(
        self,
        choose: Callable[[Event], T | None],
        *commands: Command,
        seconds: float = ANSWER_SECONDS,
    ) -> T:
        """Send commands, and return the first result of `choose` that is not None.

        Commands that another writer garbled are sent again: it may have been killed, or run on another machine.

        :param choose: called with each event until it returns something other than None
        :raises EnvironmentFailure: the gateway ended, did not answer in time, or the commands were garbled each time
        """
        with self.turn():
            for _ in range(_SENDINGS):
                for command in commands:
                    self.send(command)
                for answer in self.wait_for(_unless_mixed(choose), seconds):
                    return answer
        raise EnvironmentFailure(
            "the gateway cannot read what it is told, and lets nothing through",
            self._anew(),
        )

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """Yield events as they arrive, until the gateway ends.

        :param seconds: the time limit for the whole iteration; None: no limit
        :raises TimeoutError: the limit has passed
        """
        looks: Iterator[float | None]
        looks = itertools.repeat(None) if seconds is None else looks_within(seconds)
        yield from self._arrived()
        for left in looks:
            data = self._receive(left)
            if not data:
                return
            self._take(data)
            yield from self._arrived()
        raise TimeoutError

    def _arrived(self) -> Iterator[Event]:
        while self._events:
            yield self._events.popleft()

    def wait_for(self, choose: Callable[[Event], T | None], seconds: float = ANSWER_SECONDS) -> T:
        """Return the first result of `choose` that is not None, calling it with each event.

        :raises EnvironmentFailure: the gateway ended, or no such event came within `seconds`
        """
        try:
            for event in self.events(seconds):
                if (chosen := choose(event)) is not None:
                    return chosen
        except TimeoutError:
            raise EnvironmentFailure(
                f"the gateway{_of(self._sandbox)} does not answer: waited {seconds:g} s",
                self._anew(),
            ) from None
        raise self.ended()

    def ended(self) -> EnvironmentFailure:
        """The error for a gateway that ended, with its last output."""
        words = " ".join(" ".join(self._errors).split())[-300:]
        return EnvironmentFailure(
            "the gateway ended" + (f": {words}" if words else ""),
            f"nothing gets out any more; `sandboxd up{name_option(self._sandbox)}` starts it again",
        )

    def _anew(self) -> str:
        option = name_option(self._sandbox)
        return f"end it and start it again: `sandboxd down{option}`, then `sandboxd up{option}`"

    def close(self) -> None:
        """Close the channel; a read in another thread returns."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, seconds: float | None) -> bytes:
        """The next bytes of the stream; b"" at its end.

        :param seconds: how long it is waited for; 0 for what is there, None for without end
        :raises TimeoutError: nothing has come
        """
        try:
            self._connection.settimeout(seconds)
            return self._connection.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            raise TimeoutError from None
        except OSError:
            return b""

    def _take(self, data: bytes) -> None:
        for stream, piece in self._frames.take(data):
            if stream not in self._lines:
                continue
            *whole, rest = (self._lines[stream] + piece).split(b"\n")
            # Only a fault writes so long a line; the next one is read again.
            self._lines[stream] = rest if len(rest) <= _LONGEST_LINE else b""
            for line in whole:
                if stream == 2:
                    self._errors.append(line.decode("utf-8", "replace"))
                elif (event := event_of(line)) is not None:
                    self._events.append(event)


def _of(sandbox: str) -> str:
    """Whose gateway it is, for a message; '' for a sandbox that is not known."""
    name = name_of(sandbox)
    project = os.path.basename(workspace_of(sandbox))
    return f" of `{project}{f'/{name}' if name else ''}`" if sandbox else ""


def _unless_mixed(choose: Callable[[Event], T | None]) -> Callable[[Event], tuple[T, ...] | None]:
    """`choose` with its result in a tuple, which is empty where a line was no command, whoever wrote it."""

    def outcome(event: Event) -> tuple[T, ...] | None:
        chosen = choose(event)
        if chosen is not None:
            return (chosen,)
        return () if event["event"] == "refused" and not event["op"] else None

    return outcome


def attach_first(engine: Engine, container: str, sandbox: str) -> Channel:
    """Open the control channel of a gateway that has not started yet: its container has the id `container`.

    :param sandbox: the identity of its sandbox
    :raises EngineFailure: there is none
    """
    connection, first = engine.attach(container)
    return Channel(connection, first, functools.partial(gateway_turn, container), sandbox)


def attach(engine: Engine, container: str, sandbox: str) -> Channel:
    """Open the control channel of the running gateway whose container has the id `container`.

    :param sandbox: the identity of its sandbox
    :raises EngineFailure: there is none
    """
    if not engine.is_podman():
        return attach_first(engine, container, sandbox)
    # Its standard input is closed since the first end of the channel was. Late: other engines need none of these.
    from sandboxd.egress import layout
    from sandboxd.engine.client import Exec
    from sandboxd.engine.payload import gateway_image

    command = gateway_image.command(layout.CONTROL_FLAG)
    request = Exec(command, stdin=True, user=str(GATEWAY_USER), env=gateway_image.environment())
    connection, first = engine.exec_start(engine.exec_create(container, request), tty=False)
    return Channel(connection, first, functools.partial(gateway_turn, container), sandbox)
