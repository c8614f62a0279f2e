"""The threads in which files are touched, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_MOST = 2

T = TypeVar("T")


class Threads:
    """Two threads: generating in one does not delay a look at files in the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="project")

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """The result of `function`, called in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    def close(self) -> None:
        """Wait for what runs, and start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
