"""Reads something of a folder in a thread that nothing waits for when its disk hangs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FolderReader(Generic[T]):
    """Calls a function with the path of a folder, one call at a time. To be used on the event loop.

    A call that hangs, as on a share whose server is gone, delays neither the event loop, nor another folder, nor the
    end of the process.

    :param function: called in a thread
    """

    def __init__(self, folder: str, function: Callable[[str], T]) -> None:
        self._folder, self._function = folder, function
        self._running: asyncio.Future[T] | None = None

    async def read(self, seconds: float) -> T | None:
        """Return the result of a call that begins from now on; None if there is none within `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # One that began earlier may have missed what was saved since.
        while self._running is not None and not self._running.done():
            await asyncio.wait({self._running}, timeout=max(end - loop.time(), 0.0))
            if loop.time() >= end:
                return None
        started = self._running = self._start(loop)
        await asyncio.wait({started}, timeout=max(end - loop.time(), 0.0))
        return started.result() if started.done() else None

    def _start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[T]:
        future: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            settle: Callable[[], None]
            try:
                result = self._function(self._folder)
            except BaseException as error:
                settle = functools.partial(future.set_exception, error)
            else:
                settle = functools.partial(future.set_result, result)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
                loop.call_soon_threadsafe(settle)

        # Not of a pool: the interpreter waits at its end for all threads of one.
        threading.Thread(target=run, name="policies", daemon=True).start()
        return future
