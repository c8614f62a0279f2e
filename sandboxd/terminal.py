"""Output for a person: stdout is data, stderr is status, colour only on a terminal."""

from __future__ import annotations

import os
import sys

from sandboxd.screen import fit, row, visible, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from sandboxd.errors import SandboxdError

ENDING_SOON = b"ending after this step; the same again ends at once\n"
"""The message of the signal handler, which must not use the buffered streams."""

_INDENT = 14
_HANG = 4
"""Columns before the further lines of a status: more than any line of ours begins with, so that none looks like one."""

RED, YELLOW, BLUE, GREEN, BOLD, DIM = "31", "33", "34", "32", "1", "2"


def colours(stream: TextIO) -> bool:
    """Whether `stream` takes colour: a terminal, NO_COLOR not set, TERM not dumb."""
    return (
        stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"
    )


def paint(text: str, *codes: str, stream: TextIO | None = None) -> str:
    """`text` in colour when `stream` (default: stdout) takes it."""
    joined = ";".join(code for code in codes if code)
    if not joined or not colours(stream or sys.stdout):
        return text
    return f"\x1b[{joined}m{text}\x1b[0m"


def printable(text: str) -> str:
    """`text` without characters that could drive a terminal: file names and values are hostile."""
    return visible(text, "\n\t")


def one_line(text: str) -> str:
    """`text` on one line: a line end in a value must not forge a line of our output."""
    return printable(text).replace("\n", "\\n")


def width() -> int:
    """Columns of stdout, 80 when unknown."""
    return width_of(sys.stdout)


def width_of(stream: TextIO) -> int:
    """Columns to write to, 80 when unknown."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        # Not `shutil`: it imports three compression libraries.
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def count(number: int, noun: str) -> str:
    """`1 attempt`, `2 attempts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fitted(line: str, hang: int) -> str:
    """A line for stdout, wrapped at words where that is a terminal; elsewhere it is one line, for other programs.

    :param hang: columns before its further lines
    """
    text = one_line(line)
    return fit(text, width(), hang) if sys.stdout.isatty() else text


def status(message: str) -> None:
    """Print a status line to stderr; on a terminal it is wrapped at words."""
    text = one_line(message)
    # A file keeps it on one line: that is what is searched for.
    shown = fit(text, width_of(sys.stderr), _HANG) if sys.stderr.isatty() else text
    print(shown, file=sys.stderr, flush=True)


def lines(text: str) -> None:
    """Print lines to stderr as they are."""
    print(printable(text), file=sys.stderr, flush=True)


def verdict(message: str, code: str = "") -> None:
    """Print a sentence to stderr; on a terminal it is wrapped, and a colour helps to see it."""
    text = one_line(message)
    lines = wrap(text, width_of(sys.stderr), whole=True) if sys.stderr.isatty() else [text]
    print("\n".join(paint(line, code, stream=sys.stderr) for line in lines), file=sys.stderr)


def entry(label: str, text: str, code: str = "") -> None:
    """Print a labelled text to stderr, wrapped under itself."""
    indent = max(_INDENT, len(label) + 1)
    first, *rest = row(label, one_line(text), width_of(sys.stderr), indent, whole=True)
    head = paint(label, code, stream=sys.stderr) if code else label
    print("\n".join([head + first[len(label) :], *rest]), file=sys.stderr, flush=True)


def error(problem: SandboxdError) -> None:
    """Print an error with its hint to stderr; on a terminal no word of it is broken."""
    _labelled("error:", problem.message, RED)
    if problem.hint:
        _labelled("hint:", problem.hint)


def _labelled(label: str, text: str, colour: str = "") -> None:
    indent = len(label) + 1
    line = one_line(text)
    columns = width_of(sys.stderr) if sys.stderr.isatty() else indent + 2 * len(line)
    first, *rest = row(label, line, columns, indent, whole=True)
    head = paint(label, colour, BOLD, stream=sys.stderr)
    print("\n".join([head + first[len(label) :], *rest]), file=sys.stderr)


def answers(question: str, *accepted: str) -> bool:
    """Ask on stderr, and return True if the line that is typed is one of `accepted`, in small letters."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in accepted
