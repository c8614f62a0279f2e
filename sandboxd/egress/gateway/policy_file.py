"""Reads the policy from a file: a mounted ConfigMap, which may change while the gateway runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from sandboxd.egress.gateway.channel import LONGEST_LINE

_EVERY = 1.0


class PolicyFile:
    """Gives a command each time that the file's content changed.

    Unreadable content is given as an invalid command: then nothing is let through.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, path: str, command: Callable[[bytes | None], None]
    ) -> None:
        """:param path: of a file with one `messages.SetPolicy`, which may have several lines
        :param command: called with the content; None stands for a file that is too long
        """
        self._loop, self._path, self._command = loop, path, command
        self._state: tuple[int, ...] | None = None

    def follow(self) -> None:
        """Read the file now, and each second from now on."""
        # First: a command that fails must not leave an old policy in force for good.
        self._loop.call_later(_EVERY, self.follow)
        try:
            status = os.stat(self._path)
            # The kubelet puts another file in its place.
            state: tuple[int, ...] = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            state = ()
        if state != self._state:
            self._state = state
            self._command(self._read())

    def _read(self) -> bytes | None:
        try:
            with open(self._path, "rb") as file:
                data = file.read(LONGEST_LINE + 1)
        except OSError:
            return b""
        return data if len(data) <= LONGEST_LINE else None
