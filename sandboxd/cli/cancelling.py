"""The end of a command before it is done: asked for by a signal, done between two steps."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from sandboxd.operations.interruption import Cancel, Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING_SOON = b"ending after this step; the same again ends at once\n"
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def cancelled_by_signals() -> Iterator[Cancel]:
    """A `Cancel` that Ctrl-C, a request to end and the end of the terminal call.

    The second signal interrupts at once, wherever the work is: the engine may hang.

    :raises KeyboardInterrupt: the work ended early
    """
    cancel = Cancel()

    def end(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_asked:
            raise KeyboardInterrupt
        # Not by `terminal`: a stream in the middle of a write takes no other.
        os.write(2, _ENDING_SOON)
        cancel.cancel()

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield cancel
    except Cancelled:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
