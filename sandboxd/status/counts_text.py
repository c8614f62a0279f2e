"""Numbers of findings, and grants, as phrases. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sandboxd.screen import visible
from sandboxd.status.model import Counts


def profile(asked: str | None, running: str) -> str:
    """The profile that the container runs with, and the one that the config asks for if it differs; '' for none."""
    if not running or running == asked:
        return f"profile {visible(asked)}" if asked else ""
    return f"profile {visible(running)}, asked for: {visible(asked or 'none')}"


def findings(counts: Counts | None, nothing: str) -> str:
    """The numbers of findings by severity, and of parts that were not checked, in words.

    :param counts: None if nothing was checked
    :param nothing: the text to return if there are no findings
    """
    if counts is None:
        return "not checked"
    parts = [
        number(counts.error, "error"),
        number(counts.warning, "warning"),
        number(counts.hint, "hint"),
    ]
    text = ", ".join(part for part in parts if part) or nothing
    return f"{text}; {number(counts.skipped, 'part')} not checked" if counts.skipped else text


def grant(choices: Sequence[str]) -> str:
    """The word `granted`, followed by what the file chooses by means of its grant."""
    return f"granted: it chooses {', '.join(choices)}" if choices else "granted"


def number(count: int, word: str) -> str:
    """`1 error`, `2 errors`; '' for none."""
    return f"{count} {word}{'' if count == 1 else 's'}" if count else ""
