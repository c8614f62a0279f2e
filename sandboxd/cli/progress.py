"""Progress of an operation on stderr."""

from __future__ import annotations

import sys

from sandboxd.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.operations.interruption import Step


def show(step: Step) -> None:
    """Print a step; one that the next replaces is only shown on a terminal."""
    say(step.text, step.is_passing)


def say(text: str, passing: bool) -> None:
    """As `show`, for the text and flag that the daemon sends."""
    if not passing:
        terminal.status(text)
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{terminal.one_line(text)}")
        sys.stderr.flush()
