"""Progress of an operation on stderr."""

from __future__ import annotations

import sys

from sandboxd import terminal
from sandboxd.screen import cut


def say(text: str, passing: bool) -> None:
    """Print a step; a passing one, which the next replaces, is only shown on a terminal."""
    if not passing:
        terminal.status(text)
    elif sys.stderr.isatty():
        _replace(text)


_WORK = ("building ", "making ", "removing ", "starting ")
"""First words of a step that only says what is being done. All else is for a person to read."""


class OneLine:
    """Progress on a terminal in one line that each step replaces, until an empty passing step."""

    def __init__(self) -> None:
        self._is_over = not sys.stderr.isatty()

    def say(self, text: str, passing: bool) -> None:
        """Print a step; a passing one is replaced by the next on a terminal."""
        if passing and not text:
            self._is_over = True
        is_work = not self._is_over and text.startswith(_WORK)
        if not passing and not is_work:
            clear()
        say(text, passing or is_work)


def clear() -> None:
    """Remove the passing line."""
    if sys.stderr.isatty():
        _replace("")


def _replace(text: str) -> None:
    """A line that is wider than the terminal could not be taken back."""
    line = cut(terminal.one_line(text), terminal.width_of(sys.stderr) - 1)
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
