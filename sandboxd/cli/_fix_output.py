"""The output of `check --fix` and `check --diff`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandboxd.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.findings import Finding
    from sandboxd.lint.fixing import Fixed
    from sandboxd.text import SourceText

_COLOURS = {"-": "31", "+": "32", "@": "36"}


def diff(before: SourceText, after: SourceText, name: str, colour: bool) -> str:
    """A unified diff of one file that `patch -p1` takes; '' when nothing changed."""
    from difflib import unified_diff

    old, new = (source.text.splitlines(keepends=True) for source in (before, after))
    lines: list[str] = []
    for line in unified_diff(old, new, f"a/{name}", f"b/{name}"):
        text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        if colour:
            text = _colour(printable(text.rstrip("\r\n")), lines)
        lines.append(text)
    return "".join(lines)


def _colour(text: str, before: list[str]) -> str:
    code = "1" if len(before) < 2 else _COLOURS.get(text[:1], "")
    return f"\x1b[{code}m{text}\x1b[0m\n" if code else f"{text}\n"


def summary(
    results: list[Fixed], remaining: Iterable[Finding], *, written: bool, unsafe: bool
) -> list[str]:
    """The findings that were or would be fixed, and of those `remaining` what their fixes would cost."""
    count = sum(len(result.applied) for result in results)
    unsafe_cautions = [
        finding.fixes[0].caution
        for finding in remaining
        if finding.fixes and not finding.suppressed and not any(fix.safe for fix in finding.fixes)
    ]
    verb = "fixed" if written else "would fix"
    lines = [f"{verb} {count} finding{'' if count == 1 else 's'}"]
    if unsafe_cautions and not unsafe:
        if not count:
            lines[0] += ": each fix takes away something that may be in use"
        makes = (
            "the other fix" if len(unsafe_cautions) == 1 else f"the other {len(unsafe_cautions)}"
        )
        if not count:
            makes = "the fix" if len(unsafe_cautions) == 1 else f"the {len(unsafe_cautions)} fixes"
        lines.append(f"hint: `--unsafe` makes {makes}; then {_cost(unsafe_cautions)}")
    return lines


# The most consequences that are listed, so that they fit on two lines.
_MOST_COSTS = 3


def _cost(cautions: list[str]) -> str:
    """The things that stop working, the most frequent first, with how many fixes each is of."""
    counts = Counter(cautions)
    parts = [
        f"{caution} ({count} times)" if count > 1 else caution
        for caution, count in counts.most_common(_MOST_COSTS)
    ]
    more = len(counts) - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more else "")
