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
    """Call `stop`, in a thread, at Ctrl-C, SIGTERM and SIGHUP while the block runs; an ignored signal stays ignored.

    A handler would not do: Python calls it when the main thread comes back from what it waits in, and a signal that
    arrives just before it begins to wait does not end that (signal.rst, "set_wakeup_fd").
    """
    signals = [each for each in _ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def wait() -> None:
        while numbers := os.read(reading, 64):
            if not set(signals).isdisjoint(numbers):
                stop()

    thread = threading.Thread(target=wait, name="signals", daemon=True)
    thread.start()
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {each: signal.signal(each, _nothing) for each in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(writing)
        thread.join()
        os.close(reading)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Python writes to the pipe only at signals that have a handler."""
