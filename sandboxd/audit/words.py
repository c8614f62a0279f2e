"""Entries of the record in words for a person. Pure.

Facts may hold hostile text: whoever shows a sentence escapes it.
"""

from __future__ import annotations

import re
import time
from typing import Any

from sandboxd.audit.entry import Entry

_HASH = re.compile(r"(?<![0-9a-f])(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")
_MOMENTS = frozenset({"until"})


def sentence(entry: Entry) -> str:
    """The facts of an entry as text: `how: started, profile: dev, downgrades: none`.

    Hashes are cut to 12 digits; times are in this machine's time zone.
    """
    return ", ".join(
        f"{name.replace('_', ' ')}: {_moment(v) if name in _MOMENTS else _value(v)}"
        for name, v in entry.facts.items()
    )


def _moment(value: Any) -> str:
    """The local date and time of `value`, in seconds since 1970; 0 means none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return "for good" if value == 0 else _value(value)
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(_value(each) for each in value) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(each)}" for key, each in value.items()) or "none"
    return _HASH.sub(r"\1", str(value)) if value not in ("", None) else "none"
