"""A command that works until it is told to end, which is how it ends well."""

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
    """Call `stop`, in a thread, once nobody holds the other end of standard input; what comes by it is dropped."""

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
    """Call `stop` at Ctrl-C, SIGTERM and SIGHUP while the block runs; one that is ignored stays so."""

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
