"""The commands that the RUN instructions of a Dockerfile execute, and the files that it writes itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.image import Image
    from sandboxd.model.values import Value


def matches(
    subject: Image, pattern: str, *files: str
) -> Iterator[tuple[re.Match[str], Value[str]]]:
    """Every place where a script of the Dockerfile matches, as a value that stands there.

    `files` are instructions (`COPY`, `ADD`) whose here-documents, which become files, are looked at as well.
    """
    for instruction in subject.instructions("RUN", *files):
        gap = r"\s+" if instruction.json() is None else r"[\s\",]+"
        for script in instruction.scripts():
            for match in re.finditer(pattern, script.text):
                end = match.end() - len(match[0]) + len(match[0].rstrip())
                span = script.span(match.start(), end)
                written = re.sub(gap, " ", match[0]).strip()
                yield match, subject.value(match[0], span, written, instruction.keyword)
