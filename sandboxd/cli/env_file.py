"""Files of variables that a user gives at the command line: values, never shown."""

from __future__ import annotations

import re

from sandboxd.errors import UnreadableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


def read(paths: Iterable[str]) -> dict[str, str]:
    """The variables in the files at `paths`, ``NAME=value`` a line, ``#`` for comments; of one name the last counts.

    A value in quotes is what stands between them.

    :raises UsageError: a file cannot be read, or a line has another form
    """
    from sandboxd.files import read_source

    values: dict[str, str] = {}
    for path in paths:
        try:
            text = read_source(path).text
        except UnreadableError as error:
            raise UsageError(f"`--env-file {path}` {error.message}", error.hint) from None
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                name, value = _variable(line, path, number)
                values[name] = value
    return values


def _variable(line: str, path: str, number: int) -> tuple[str, str]:
    name, equals, value = line.strip().removeprefix("export ").partition("=")
    if not equals or not re.fullmatch(_NAME, name.strip()):
        # The line may be a secret that lost its name.
        raise UsageError(
            f"line {number} of `{path}` is no variable", "write `NAME=value`, one a line"
        )
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return name.strip(), value
