"""Puts the commands of a stream together, one in each line."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_LINE = 1 << 23
"""Bytes of one command."""


class CommandLines:
    """The lines of one stream, given to a function as they become whole."""

    def __init__(self, command: Callable[[bytes | None], None]) -> None:
        """:param command: called with each line; None stands for one that is too long to be read"""
        self._command = command
        self._line, self._too_long = bytearray(), False

    def take(self, data: bytes) -> None:
        """Continue with the next bytes of the stream."""
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
