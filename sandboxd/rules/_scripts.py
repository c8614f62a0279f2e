"""The commands that the RUN instructions of a Dockerfile execute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.image import Image
    from sandboxd.model.values import Value


def matches(subject: Image, pattern: str) -> Iterator[tuple[re.Match[str], Value[str]]]:
    """Every place where a script of the Dockerfile matches, as a value that stands there."""
    for instruction in subject.instructions("RUN"):
        for script in instruction.scripts():
            for match in re.finditer(pattern, script.text):
                end = match.end() - len(match[0]) + len(match[0].rstrip())
                span = script.span(match.start(), end)
                yield match, subject.value(match[0], span, " ".join(match[0].split()), "RUN")
