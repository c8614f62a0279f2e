"""The threads that read and write files, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_MOST = 2

T = TypeVar("T")


class Threads:
    """Two threads: generating files in one does not delay reading files in the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="project")

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function` in one of the threads, and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    def close(self) -> None:
        """Wait for running calls, and take no further ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)
