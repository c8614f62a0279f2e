"""Progress and cancelling of an operation.

An operation is cancelled between two steps. Whoever waits for the operation calls `Cancel.cancel`, from any
thread; the operation raises `Cancelled` at its next call of the engine, once, so that the calls that clean up
afterwards go through."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sandboxd.engine import timeline

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine


class Step(NamedTuple):
    """One line of progress; if `is_passing`, the next one replaces it on a terminal."""

    text: str
    is_passing: bool = False


Progress = Callable[[Step], None]


class Cancelled(BaseException):
    """The operation was cancelled. It is a BaseException, so that no `except Exception` catches it."""


class Cancel:
    """A request to cancel one operation."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._is_raised = False
        self._connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    @property
    def is_asked(self) -> bool:
        """Whether `cancel` was called."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Make the operation end at its next step, and return at once."""
        self._asked.set()

    def cancel(self) -> None:
        """Make the operation end at its next step, and close the connections that it reads from."""
        self.ask()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise if the operation was cancelled. To be called between two steps.

        :raises Cancelled: at the first call after `cancel`; not at later ones, which belong to the cleanup
        """
        if self._asked.is_set() and not self._is_raised:
            self._is_raised = True
            raise Cancelled

    def waits_on(self, connection: socket.socket) -> None:
        """Register a connection that the operation is about to read, so that `cancel` closes it."""
        if not self._is_raised:
            self._connections.add(connection)
            if self._asked.is_set():
                self.cancel()


def never() -> Cancel:
    """A `Cancel` that nobody triggers."""
    return Cancel()


def interruptible(engine: Engine, cancel: Cancel) -> Engine:
    """A wrapper of `engine` that calls `cancel.check` before each call, and records each call as a span of the
    timeline.
    """
    if isinstance(engine, _Interruptible) and engine.ends_by(cancel):
        return cast("Engine", engine)
    return cast("Engine", _Interruptible(engine, cancel))


_PARTS: dict[str, tuple[timeline.Part, str]] = {"start": ("runtime", "start")}
"""The part and the name of the span for calls that are not counted as the engine's own work."""


class _Interruptible:
    """A wrapper of an engine that checks for a cancel before every call."""

    def __init__(self, engine: Engine, cancel: Cancel) -> None:
        self._engine = engine
        self._cancel = cancel

    def ends_by(self, cancel: Cancel) -> bool:
        """Whether calls check this `cancel`."""
        return self._cancel is cancel

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._engine, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self._cancel.check()
            try:
                with timeline.span(*_PARTS.get(name, ("engine", name.replace("_", " ")))):
                    result = value(*arguments, **named)
            except Exception:
                # The call failed on its way to its end: what comes next is the cleaning up.
                self._cancel.check()
                raise
            if name == "exec_start":
                self._cancel.waits_on(result[0])
            return result

        return call


def silent(_step: Step) -> None:
    """A progress callback that does nothing."""


def lines(progress: Progress, cancel: Cancel) -> Callable[[str], None]:
    """A callback for code that reports whole lines: it calls `cancel.check`, then `progress`."""

    def tell(text: str) -> None:
        cancel.check()
        progress(Step(text))

    return tell


def passing(progress: Progress, cancel: Cancel) -> Callable[[str], None]:
    """A callback as `lines` gives, for lines that each take the place of the one before."""

    def tell(text: str) -> None:
        cancel.check()
        progress(Step(text, is_passing=True))

    return tell


def counted(progress: Progress, cancel: Cancel, noun: str) -> Callable[[int, int], None]:
    """A callback for code that reports a count and a total: it calls `cancel.check`, then `progress` with both and
    `noun`.
    """

    def tell(done: int, total: int) -> None:
        cancel.check()
        progress(Step("" if done == total else f"{done} of {total} {noun}", is_passing=True))

    return tell
