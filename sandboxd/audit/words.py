"""Entries of the record in words for a person. Pure.

Facts may hold hostile text: whoever shows a sentence escapes it.
"""

from __future__ import annotations

from typing import Any

from sandboxd.audit.entry import Entry


def sentence(entry: Entry) -> str:
    """The facts of an entry, each with its name: `how: started, profile: dev, downgrades: none`."""
    return ", ".join(f"{name.replace('_', ' ')}: {_value(v)}" for name, v in entry.facts.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(_value(each) for each in value) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(each)}" for key, each in value.items()) or "none"
    return str(value) if value not in ("", None) else "none"
