"""Output formats of `check`: one module each, with a function `document(report, options)`.

This module defines the types that all of them use.
"""

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

    Paths are shown relative to `cwd`; `describe` returns a rule's text by id. `again` are the arguments of `sandboxd
    check` that repeat this report, each preceded by a blank.
    """

    cwd: str
    version: str
    describe: Callable[[str], RuleText]
    colour: bool = False
    width: int = 80
    again: str = ""
    least: Severity = Severity.HINT
    """The lowest severity that was looked for."""
    lists_unchecked: bool = False


def relative_path(path: str, cwd: str) -> str:
    """`path` relative to `cwd` if it is below it, otherwise unchanged."""
    folder = cwd.rstrip("/") + "/"
    return path[len(folder) :] if cwd and path.startswith(folder) else path
