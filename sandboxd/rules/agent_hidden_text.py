"""A text that AI agents follow holds characters that nobody sees.

## What it is

Tag characters, long runs of variation selectors, bidirectional controls or characters without width in
`AGENTS.md`, `CLAUDE.md`, `.cursorrules` and the like.

## Why it is bad

An agent reads them as text; a person who reviews the file sees nothing, or another order of words. Tag
characters spell out whole sentences:

    Be kind.<U+E0053 U+E0065 U+E006E U+E0064 ...>

## What to do instead

Remove them, and look at who added them. A character without width alone is mostly an accident of copying.

## Under gVisor

An agent that follows such a text in the sandbox can do no more than the sandbox lets it.

## References

- https://unicode.org/reports/tr36/
- https://trojansource.codes/
- https://embracethered.com/blog/posts/2024/hiding-and-finding-text-with-unicode-tags/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.agent import Instructions

META = RuleMeta(
    id="agent-hidden-text",
    summary="a text that AI agents follow holds characters that nobody sees",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the agent follows a text that no review has shown",
)

_TAGS = 0xE0000
_TEXT = (0x20, 0x7E)
_SELECTORS = 0xE0100
_FIRST_SELECTORS = 0xFE00
_RUN = 4


def check(subject: Instructions, host: HostFacts) -> Iterator[Finding]:
    for value in subject.hidden:
        message, severity = _judgement(value.value)
        yield at_value(
            META,
            value,
            message,
            "".join(f"U+{ord(character):04X}" for character in value.value[:8]),
            severity,
            remedies=(
                Remedy(
                    "remove the characters",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the text changes for those who wanted them there",
                ),
            ),
        )


def _judgement(text: str) -> tuple[str, Severity]:
    """The message and the severity for a run of characters that are not seen."""
    first = ord(text[0])
    if _TAGS <= first < _SELECTORS:
        spelled = "".join(
            chr(code) for c in text if _TEXT[0] <= (code := ord(c) - _TAGS) <= _TEXT[1]
        )
        meaning = f": `{readable(spelled, 120)}`" if spelled else ""
        return f"tag characters ({len(text)}) that nobody sees{meaning}", Severity.ERROR
    if first >= _SELECTORS or _FIRST_SELECTORS <= first < _FIRST_SELECTORS + 16:
        return (
            f"variation selectors ({len(text)}), which can carry a text that nobody sees",
            Severity.ERROR,
        )
    if 0x202A <= first <= 0x202E or 0x2066 <= first <= 0x2069:
        return (
            f"a control of the direction of text (U+{first:04X}): what is shown is not what is read",
            Severity.WARNING,
        )
    if len(text) >= _RUN:
        return (
            f"characters without width in a row ({len(text)}), which can carry a text that nobody sees",
            Severity.ERROR,
        )
    return f"a character without width (U+{first:04X})", Severity.HINT
