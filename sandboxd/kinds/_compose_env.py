"""The `.env` files that Compose takes values from."""

from __future__ import annotations

import re

_LINE = r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(.*)$"


def dotenv(text: str) -> dict[str, str]:
    """The variables of a `.env` file."""
    found: dict[str, str] = {}
    for match in re.finditer(_LINE, text):
        value = match[2].strip()
        if value[:1] in ("'", '"'):
            end = value.find(value[0], 1)
            value = value[1:end] if end > 0 else value[1:]
        else:
            value = re.split(r"\s#", value, maxsplit=1)[0].rstrip()
        found[match[1]] = value
    return found
