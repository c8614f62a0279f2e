"""The program that reports and changes a folder inside, as one text that is sent in."""

from __future__ import annotations

from sandboxd.engine.payload import programs
from sandboxd.inside import others
from sandboxd.sync import inside, renaming, wire, writer


def text(path: str) -> str:
    """The program for the folder at `path` inside: it runs until its input ends."""
    source = programs.of_modules((others, wire, renaming, writer, inside))
    return f"{source}\nsys.exit(report({path!r}))\n"
