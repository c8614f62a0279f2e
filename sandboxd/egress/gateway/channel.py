"""The control channel: JSON lines in and out; writing never waits for the reader."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable

from sandboxd.egress.gateway.command_lines import CommandLines

MOST_UNREAD = 1 << 20
"""Bytes of events that nobody has read yet."""

_PIPE = 1 << 20


class Channel:
    """The control channel on standard input and output."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, command: Callable[[bytes | None], None]
    ) -> None:
        """:param command: as in `CommandLines`"""
        self._loop, self._lines = loop, CommandLines(command)
        self._unread, self._writing = bytearray(), False
        for file in (0, 1):
            os.set_blocking(file, False)
        with contextlib.suppress(OSError):  # not a pipe, or no room: it is read in more pieces
            fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, _PIPE)

    def start(self) -> None:
        with contextlib.suppress(OSError):  # /dev/null cannot be waited for: nobody commands
            self._loop.add_reader(0, self._read)

    def write(self, line: bytes) -> bool:
        """Send a line when the reader is ready; False where it has not read for too long."""
        if len(self._unread) + len(line) > MOST_UNREAD:
            return False
        self._unread += line
        if not self._writing:
            self._flush()
        return True

    def _read(self) -> None:
        try:
            data = os.read(0, _PIPE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(0)  # the policy stays: the daemon may have died
            return
        self._lines.take(data)

    def _flush(self) -> None:
        try:
            while self._unread:
                del self._unread[: os.write(1, self._unread[: 1 << 16])]
        except BlockingIOError:
            if not self._writing:
                with contextlib.suppress(OSError):
                    self._loop.add_writer(1, self._flush)
                    self._writing = True
            return
        except OSError:
            self._unread.clear()  # nobody will read again; events stay in the journal
        if self._writing:
            self._loop.remove_writer(1)
            self._writing = False
