"""Cancelling a command by a signal: it ends between two of its steps."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli.interruption import Interrupted
from sandboxd.engine.interruption import Cancel, Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def cancelled_by_signals() -> Iterator[Cancel]:
    """A `Cancel` that is called by Ctrl-C, SIGTERM and SIGHUP.

    The second signal interrupts at once, wherever the work is: the engine may hang.

    A signal that the caller made us ignore (`nohup`) stays ignored.

    :raises Interrupted: the work ended early
    """
    cancel = Cancel()
    number = signal.SIGINT

    def end(received: int, _frame: FrameType | None) -> None:
        nonlocal number
        number = signal.Signals(received)
        if cancel.is_asked:
            raise Interrupted(number)
        cancel.ask()
        os.write(2, terminal.ENDING_SOON)
        cancel.cancel()

    before = {
        which: signal.signal(which, end)
        for which in _ENDING
        if signal.getsignal(which) is not signal.SIG_IGN
    }
    try:
        yield cancel
    except Cancelled:
        raise Interrupted(number) from None
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
