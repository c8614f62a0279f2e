"""Turns what a task runner fills into a command into shell variables of the same length."""

from __future__ import annotations

import re

_INTERPOLATION = re.compile(r"\{\{-?[ \t]*+\.?([\w-]*+)[^{}\n]*+\}\}")


def as_variables(command: str) -> str:
    """`command` with each ``{{ name }}`` or ``{{.NAME}}`` as the variable of that name.

    An expression becomes a variable that is never set.
    """
    if "{{" not in command:
        return command
    return _INTERPOLATION.sub(lambda match: _variable(match, is_first=match.start() == 0), command)


def _variable(match: re.Match[str], *, is_first: bool) -> str:
    name, length = match[1].strip("-").replace("-", "_"), len(match[0])
    if not name or match[0].strip("{}.- \t") != match[1].strip("-"):
        return "$".ljust(length, "_")
    if is_first:
        return f"${{{name}}}".rjust(length)
    return f"${{{name}-".ljust(length - 1, "_") + "}"
