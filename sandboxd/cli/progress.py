"""Progress of an operation on stderr."""

from __future__ import annotations

import sys

from sandboxd.cli import terminal
from sandboxd.screen import cut


def say(text: str, passing: bool) -> None:
    """Print a step; a passing one, which the next replaces, is only shown on a terminal."""
    if not passing:
        terminal.status(text)
    elif sys.stderr.isatty():
        _replace(text)


class OneLine:
    """Steps in the place of each other, on a terminal, until an empty passing one; what follows stays."""

    def __init__(self) -> None:
        self._is_over = not sys.stderr.isatty()

    def say(self, text: str, passing: bool) -> None:
        """As `say`."""
        if passing and not text:
            self._is_over = True
        say(text, passing or not self._is_over)


def clear() -> None:
    """Take the passing line away."""
    if sys.stderr.isatty():
        _replace("")


def _replace(text: str) -> None:
    """A line that is wider than the terminal could not be taken back."""
    line = cut(terminal.one_line(text), terminal.width_of(sys.stderr) - 1)
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
