"""Turns the recipes of a justfile into shell lines of the same length, so that positions stay those of the file.

Source: https://just.systems/man/en/.
"""

from __future__ import annotations

import re

from sandboxd.syntax.interpolation import as_variables

_ASSIGNMENT = re.compile(
    r"^(?:export[ \t]+)?([A-Za-z_][\w-]*)[ \t]*:=[ \t]*(?:\"([^\"\\\n]*)\"|'([^'\n]*)')[ \t\r]*$",
    re.MULTILINE,
)
_PREFIX = re.compile(r"[ \t]+[@-]{0,2}")


def as_shell(text: str) -> str:
    """The lines of all recipes, with blanks in place of everything else.

    An interpolation of a name becomes the shell variable of that name; one of an expression becomes a variable that is
    never set.
    """
    lines: list[str] = []
    is_continued = False
    for line in text.split("\n"):
        lines.append(_line(line, is_continued))
        is_continued = line.rstrip("\r").endswith("\\")
    return "\n".join(lines)


def variables(text: str) -> dict[str, str]:
    """The variables that are assigned exactly once, and to a plain text."""
    values: dict[str, str] = {}
    twice: set[str] = set()
    for match in _ASSIGNMENT.finditer(text):
        name = match[1].replace("-", "_")
        if name in values:
            twice.add(name)
        values[name] = match[2] if match[2] is not None else match[3]
    return {name: value for name, value in values.items() if name not in twice and value}


def _line(line: str, is_continued: bool) -> str:
    prefix = _PREFIX.match(line)
    if prefix is None:
        return " " * len(line)
    start = len(line) - len(line.lstrip(" \t")) if is_continued else prefix.end()
    return " " * start + as_variables(line[start:])
