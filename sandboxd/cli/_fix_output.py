"""What `check --fix` and `check --diff` print."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.analysis.fixing import Fixed
    from sandboxd.findings import Finding
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
            text = _coloured(printable(text.rstrip("\r\n")), lines)
        lines.append(text)
    return "".join(lines)


def _coloured(text: str, before: list[str]) -> str:
    code = "1" if len(before) < 2 else _COLOURS.get(text[:1], "")
    return f"\x1b[{code}m{text}\x1b[0m\n" if code else f"{text}\n"


def summary(
    results: list[Fixed], left: Iterable[Finding], *, written: bool, unsafe: bool
) -> list[str]:
    """What was or would be fixed, and what of the findings `left` a person has to decide."""
    done = sum(len(result.applied) for result in results)
    held = sum(
        not any(fix.safe for fix in finding.fixes)
        for finding in left
        if finding.fixes and not finding.suppressed
    )
    verb = "fixed" if written else "would fix"
    lines = [f"{verb} {done} finding{'' if done == 1 else 's'}"]
    if held and not unsafe:
        plural = "fix" if held == 1 else "fixes"
        lines.append(
            f"hint: {held} more {plural} may stop something in the container from working: "
            "add `--unsafe`"
        )
    return lines
