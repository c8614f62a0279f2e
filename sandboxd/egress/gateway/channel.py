"""The control channel: JSON lines in and out; writing never waits for the reader."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable

LONGEST_LINE, MOST_UNREAD = 1 << 23, 1 << 20
"""Bytes of one command, and of events that nobody has read yet."""

_PIPE = 1 << 20


class Channel:
    """The control channel on standard input and output."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, command: Callable[[bytes | None], None]
    ) -> None:
        """:param command: called with each line; None stands for one that is too long to be read"""
        self._loop, self._command = loop, command
        self._line, self._too_long = bytearray(), False
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
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._extend(line)
            whole = None if self._too_long else bytes(self._line)
            self._line, self._too_long = bytearray(), False
            if whole is None or whole.strip():
                self._command(whole)
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        if len(self._line) + len(part) > LONGEST_LINE:
            self._too_long = True
            self._line.clear()
        elif not self._too_long:
            self._line += part

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
