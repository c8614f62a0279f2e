"""One session over stdin and stdout, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping

from sandboxd import formats
from sandboxd.host.facts import HostFacts
from sandboxd.lsp.session import LONGEST_MESSAGE, Session
from sandboxd.lsp.surroundings import Surroundings

SECONDS = 1.0

_MOST_FILES = 400
"""The most files in all folders together; a config folder has a handful."""

Look = dict[str, tuple[int, int, int]]
"""The modification time (nanoseconds), the size and the inode of each file by path."""


class Sweep:
    """Reports files that changed in the watched folders."""

    def __init__(self, changed: Callable[[set[str]], None]) -> None:
        self._changed = changed
        self._folders: frozenset[str] = frozenset()
        self._before: Look = {}

    def watch(self, folders: frozenset[str]) -> None:
        """Watch these folders from now on, in place of the earlier ones."""
        new = _look(folders - self._folders)
        known_before = {p: s for p, s in self._before.items() if os.path.dirname(p) in folders}
        self._folders, self._before = folders, {**new, **known_before}

    async def run(self) -> None:
        """Check each second until cancelled; in a thread, as a disk may hang."""
        while True:
            await asyncio.sleep(SECONDS)
            folders, before = self._folders, self._before
            now = await asyncio.to_thread(_look, folders)
            if folders != self._folders:
                continue
            self._before = now
            paths = now.keys() | before.keys()
            different = {path for path in paths if now.get(path) != before.get(path)}
            if different:
                self._changed(different)


def _look(folders: frozenset[str]) -> Look:
    files: Look = {}
    for folder in sorted(folders):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if len(files) >= _MOST_FILES:
                        return files
                    if entry.name == ".env" or formats.find_in_tree(entry.path) is not None:
                        status = entry.stat()
                        files[entry.path] = status.st_mtime_ns, status.st_size, status.st_ino
        except OSError:
            continue
    return files


class _Descriptor:
    """Writes to a file descriptor, whole messages at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def serve(
    environ: Mapping[str, str], incoming: int, outgoing: int, probe: Callable[[], HostFacts]
) -> int:
    """Serve one client on two file descriptors; return the exit code.

    `probe` determines the host's facts; it may take long, as diagnostics do not wait for it.
    """
    return asyncio.run(_serve(environ, incoming, outgoing, probe))


async def _serve(
    environ: Mapping[str, str], incoming: int, outgoing: int, probe: Callable[[], HostFacts]
) -> int:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_MESSAGE, loop=loop)
    # Not a thread of an executor: at its end asyncio would wait for a read that never returns.
    threading.Thread(target=_read, args=(incoming, reader, loop), daemon=True).start()
    sweep = Sweep(lambda paths: session.files_changed(paths))
    session = Session(environ, surroundings=Surroundings(watch=sweep.watch))
    threading.Thread(target=_find_host, args=(probe, session, loop), daemon=True).start()
    looking = asyncio.create_task(sweep.run())
    try:
        return await session.run(reader, _Descriptor(outgoing))
    finally:
        looking.cancel()


def _read(incoming: int, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the session is over
        while True:
            try:
                data = os.read(incoming, 65536)
            except OSError:
                data = b""
            if not data:
                loop.call_soon_threadsafe(reader.feed_eof)
                return
            loop.call_soon_threadsafe(reader.feed_data, data)


def _find_host(
    probe: Callable[[], HostFacts], session: Session, loop: asyncio.AbstractEventLoop
) -> None:
    facts = probe()
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(session.set_host, facts)
