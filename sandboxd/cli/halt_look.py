"""Ends the wait for a command whose sandbox is halted meanwhile: what is paused ends nothing. Imports nothing slow."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread

from sandboxd.errors import SandboxdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.backends.command import Attended

_SECONDS = 1.0
"""Seconds between two looks; most commands end before the first one."""
_SHUT_RDWR = 2


class HaltLook:
    """A thread that looks for a halt of a command's sandbox, and then ends the connection; a context manager.

    :raises Halted: at the end of the block, however that came, where the sandbox was halted
    """

    def __init__(self, command: Attended) -> None:
        self._command = command
        self._error: SandboxdError | None = None
        self._over = allocate_lock()

    def __enter__(self) -> None:
        self._over.acquire()
        start_new_thread(self._look, ())

    def __exit__(self, *_: object) -> None:
        self._over.release()
        if self._error is not None:
            raise self._error

    def _look(self) -> None:
        while self._error is None:
            if self._over.acquire(timeout=_SECONDS):
                return
            self._error = self._command.halt_error()
        try:
            self._command.connection.shutdown(_SHUT_RDWR)
        except OSError:
            # It ended by itself.
            return
