"""Output formats of `check`: one module each, with a `document(report, options)`.

The types that all of them are given are defined here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.findings import RuleMeta


class RuleText(NamedTuple):
    """A rule with its documentation: `page` is Markdown."""

    meta: RuleMeta
    page: str


class Options(NamedTuple):
    """The options of a report's output.

    `cwd` is what paths are shown relative to, `describe` knows the rules by id. `again` holds the arguments
    of `sandboxd check` that repeat this report, each after a blank.
    """

    cwd: str
    version: str
    describe: Callable[[str], RuleText]
    colour: bool = False
    width: int = 80
    again: str = ""
    least: Severity = Severity.HINT
    """Findings below it were not looked for."""
    lists_unchecked: bool = False


def relative_path(path: str, cwd: str) -> str:
    """`path` relative to `cwd` where it is below it, else as it is."""
    folder = cwd.rstrip("/") + "/"
    return path[len(folder) :] if cwd and path.startswith(folder) else path
