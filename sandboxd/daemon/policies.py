"""Notices that a policy, a grant or a record of a credential changed, whatever goes on in the projects.

Rights are taken back because of it, so it waits for nobody: each folder is read in a thread of its own, and compared
again and again whether or not there are events.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from sandboxd.credentials import own_services, records
from sandboxd.daemon.scan import FolderStamp, stamp_of_folder
from sandboxd.model.paths import lies_in
from sandboxd.policy import approvals, floor, proxy_credentials, trust

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


LOOK_SECONDS = 1.5
"""Seconds between two comparisons of the files: what is taken back is in force within 2 s, and there are no events of
the target of a link, of a folder on a network, or of an organisation's first policy."""

ANSWER_SECONDS = 1.0
"""Seconds after which a look goes on without a folder whose disk does not answer."""

_NAMES = (
    floor.FILE_NAME,
    trust.FILE_NAME,
    trust.OLD_NAME,
    approvals.FILE_NAME,
    records.FILE_NAME,
    proxy_credentials.FILE_NAME,
)
"""The files that say what a sandbox may have. They are compared however many others are beside them."""


def _stamp_of(folder: str) -> FolderStamp:
    return stamp_of_folder(folder, _NAMES)


def _stamp_of_user(folder: str) -> FolderStamp:
    """As `_stamp_of`, with the user's descriptions of services, which may be edited in place."""
    own = stamp_of_folder(os.path.join(folder, own_services.FOLDER), ())
    whole = _stamp_of(folder)
    return whole._replace(stamp=(*whole.stamp, *own.stamp), left_out=whole.left_out + own.left_out)


log = logging.getLogger(__name__)


class Policies:
    """The folders of the policies, and of the user's grants and records. To be used on the event loop.

    :param changed: called after each look at a folder that found another content than the look before
    """

    def __init__(self, environ: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._user = floor.user_folder(environ)
        self._organisation = os.path.dirname(floor.ORGANISATION)
        self._changed = changed
        self._readers = {
            self._user: FolderReader(self._user, _stamp_of_user),
            self._organisation: FolderReader(self._organisation, _stamp_of),
        }
        self._stamps: dict[str, FolderStamp | None] = {}
        """The last known stamp of each folder that was looked at; None for one that never answered."""
        self._problems: dict[str, str] = {}

    async def look(self) -> None:
        """Compare the files with those of the look before; the first look only notes what is there.

        A folder that does not answer in time counts as unchanged, and that is logged; the next look tries it again.
        """
        await asyncio.gather(*map(self._look_at, self._readers))

    async def look_for_ever(self) -> None:
        """Look every `LOOK_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def nearest(self) -> frozenset[str]:
        """The folders in which a policy would change or appear, by the last look.

        Not /etc: all programs open files there, and each time the kernel would wake the watcher. An
        organisation's first policy is found by the next look.
        """
        user, organisation = map(self._stamps.get, (self._user, self._organisation))
        folders = {user.nearest} if user is not None else set()
        if organisation is not None and organisation.nearest == self._organisation:
            folders.add(self._organisation)
        return frozenset(folders)

    def are_touched(self, paths: Iterable[str]) -> bool:
        """Whether one of the folders is among `paths`."""
        return not set(self._readers).isdisjoint(paths)

    def are_below(self, paths: Iterable[str]) -> bool:
        """Whether one of the folders is among `paths`, or below one of them, so that it may have appeared or gone."""
        return any(lies_in(folder, path) for path in paths for folder in self._readers)

    async def _look_at(self, folder: str) -> None:
        stamp = await self._readers[folder].read(ANSWER_SECONDS)
        self._log(folder, stamp)
        if stamp is None:
            self._stamps.setdefault(folder, None)
            return
        before = self._stamps.get(folder, stamp)
        self._stamps[folder] = stamp
        # What was read while it did not answer is of nobody knows when.
        if before is None or before.stamp != stamp.stamp:
            self._changed()

    def _log(self, folder: str, stamp: FolderStamp | None) -> None:
        """Log once what cannot be compared in `folder`."""
        text = ""
        if stamp is None:
            text = (
                f"`{folder}` does not answer, so an edit of a policy or a grant there is not seen"
            )
        elif stamp.left_out:
            text = f"`{folder}` has {stamp.left_out} more files beside those that are compared"
        if text and text != self._problems.get(folder):
            log.warning(text)
        self._problems[folder] = text
