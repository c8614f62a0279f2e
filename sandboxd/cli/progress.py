"""How far an operation is, on stderr."""

from __future__ import annotations

import sys

from sandboxd.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.operations.interruption import Step


def show(step: Step) -> None:
    """Say how far an operation is; a passing step is shown on a terminal alone."""
    say(step.text, step.is_passing)


def say(text: str, passing: bool) -> None:
    """The same in two words, as they come from the daemon."""
    if not passing:
        terminal.status(text)
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{terminal.one_line(text)}")
        sys.stderr.flush()
