"""Notices that a policy, a grant or a record of a credential changed, whatever goes on in the projects.

Rights are taken back because of it, so it waits for nobody: the files are read in a thread of its own, and they are
compared again and again whether or not there are events.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from sandboxd.daemon.scan import Stamp, nearest, stamp_of_folders
from sandboxd.policy import floor

LOOK_SECONDS = 1.5
"""Seconds between two comparisons of the files: what is taken back is in force within 2 s, and there are no events of
the target of a link, of a folder on a network, or of an organisation's first policy."""


class Policies:
    """The folders of the policies, and of the user's grants and records. To be used on the event loop.

    :param changed: called after each look that found another content than the look before
    """

    def __init__(self, environ: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._folders = (floor.user_folder(environ), os.path.dirname(floor.ORGANISATION))
        self._changed = changed
        self._stamp: Stamp | None = None
        # One thread: a look that began earlier also ends earlier.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="policies")

    async def look(self) -> None:
        """Compare the files with those of the look before; the first look only notes what is there."""
        loop = asyncio.get_running_loop()
        stamp = await loop.run_in_executor(self._thread, stamp_of_folders, self._folders)
        before, self._stamp = self._stamp, stamp
        if before is not None and before != stamp:
            self._changed()

    async def look_for_ever(self) -> None:
        """Look every `LOOK_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def close(self) -> None:
        """Take no further looks."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def nearest(self) -> frozenset[str]:
        """The folders in which a policy would change or appear.

        Not /etc: all programs open files there, and each time the kernel would wake the watcher. An
        organisation's first policy is found by the next look.
        """
        user, organisation = self._folders
        return frozenset({nearest(user), *filter(os.path.isdir, (organisation,))})

    def are_touched(self, paths: Iterable[str]) -> bool:
        """Whether one of the folders is among `paths`."""
        return not set(self._folders).isdisjoint(paths)

    def are_below(self, paths: Iterable[str]) -> bool:
        """Whether one of the folders is among `paths`, or below one of them, so that it may have appeared or gone."""
        return any(
            path == folder or folder.startswith(f"{path}/")
            for path in paths
            for folder in self._folders
        )
