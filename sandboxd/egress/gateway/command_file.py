"""Reads a command from a file that may change while the gateway runs: the policy in a mounted ConfigMap."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from sandboxd.egress.gateway.command_lines import LONGEST_LINE

_EVERY = 1.0


class CommandFile:
    """Gives a command each time that the file's content changed.

    Unreadable content is given as an invalid command: then nothing is let through.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        path: str,
        command: Callable[[bytes | None], None],
        *,
        is_required: bool = True,
    ) -> None:
        """:param path: of a file with one command of `messages`, which may have several lines
        :param command: called with the content; None stands for a file that is too long
        :param is_required: a missing file is an invalid command, too
        """
        self._loop, self._path, self._command = loop, path, command
        self._is_required = is_required
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
            if state or self._is_required:
                self._command(self._read())

    def _read(self) -> bytes | None:
        try:
            with open(self._path, "rb") as file:
                data = file.read(LONGEST_LINE + 1)
        except OSError:
            return b""
        return data if len(data) <= LONGEST_LINE else None
