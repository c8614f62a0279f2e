"""Ends a command that runs until it is told to stop, and for which that is the normal end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def at_end_of_input(stop: Callable[[], None]) -> None:
    """Call `stop`, in a thread, at the end of standard input; what arrives before is dropped."""

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 65536):
                pass
        # It may have ended by itself meanwhile.
        with contextlib.suppress(OSError):
            stop()

    threading.Thread(target=read, name="input", daemon=True).start()


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at Ctrl-C, SIGTERM and SIGHUP while the block runs; an ignored signal stays ignored."""

    def end(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {
        number: signal.signal(number, end)
        for number in _ENDING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
