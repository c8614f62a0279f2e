"""Describes entries of the audit record in words for a person. Pure.

Facts may contain hostile text: whoever shows a sentence escapes it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from sandboxd.audit.entry import Entry

_HASH = re.compile(r"(?<![0-9a-f])(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")
_MOMENTS = frozenset({"until"})
_EMPTY = {"ports": "all"}
"""Facts of which an empty list does not mean `none`."""
_LEFT_OUT = frozenset({"sandbox", "container", "image", "plan", "removed"})
"""Names of what an entry is about, which a short sentence is shown beside or does not need."""


def sentence(entry: Entry, *, in_short: bool = False) -> str:
    """The facts of an entry as text: `how: started, profile: dev, downgrades: none`.

    Hashes are cut to 12 digits; times are in this machine's time zone.

    :param in_short: leave out empty facts, and the names of containers and images
    """
    facts = _in_short(entry.facts) if in_short else entry.facts
    return ", ".join(
        f"{name.replace('_', ' ')}: {_fact(name, value)}" for name, value in facts.items()
    )


def _in_short(facts: Mapping[str, Any]) -> dict[str, Any]:
    short = {}
    for name, value in facts.items():
        is_dict = isinstance(value, dict)
        some = {key: each for key, each in value.items() if each} if is_dict else value
        # `0` and [] of these have a meaning of their own.
        if name not in _LEFT_OUT and (some or name in _MOMENTS or name in _EMPTY):
            short[name] = some
    return short


def _fact(name: str, value: Any) -> str:
    if name in _MOMENTS:
        return _moment(value)
    return _EMPTY[name] if name in _EMPTY and value == [] else _value(value)


def _moment(value: Any) -> str:
    """The local date and time of `value`, in seconds since 1970; 0 means none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return "for good" if value == 0 else _value(value)
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _list([_value(each) for each in value]) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(each)}" for key, each in value.items()) or "none"
    return _HASH.sub(r"\1", str(value)) if value not in ("", None) else "none"


def _list(words: list[str]) -> str:
    """The words, each once with its number, and apart also where one of them has a blank."""
    counted = [
        word if words.count(word) == 1 else f"{word} ({words.count(word)})"
        for word in dict.fromkeys(words)
    ]
    return ("; " if any(" " in word for word in words) else " ").join(counted)
