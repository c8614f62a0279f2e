"""One session over stdin and stdout, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping

from sandboxd.host.facts import HostFacts
from sandboxd.lsp.session import LONGEST_MESSAGE, Session
from sandboxd.lsp.surroundings import Surroundings
from sandboxd.lsp.sweep import Sweep


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
