"""Tells by the Public Suffix List whether a wildcard covers names of more than one owner."""

from __future__ import annotations

import functools
import os

from sandboxd.egress.names import Pattern

_FILE = os.path.join(os.path.dirname(__file__), "public_suffixes.txt")


def too_wide(pattern: Pattern) -> str:
    """Why `pattern` covers names of many owners, in words that follow "it is"; '' where it does not."""
    if not pattern.below:
        return ""
    host = pattern.host
    if "." not in host or _is_public(host):
        return f"too wide: anybody may have a name below `{host}`"
    inner = _public_below(host)
    return f"too wide: anybody may have a name below `{inner}`" if inner else ""


def _is_public(host: str) -> bool:
    rules, above = _rules(), host.partition(".")[2]
    if f"\n!{host}\n" in rules:
        return False
    return f"\n{host}\n" in rules or f"\n*.{above}\n" in rules


def _public_below(host: str) -> str:
    """A public suffix that lies below `host`, '' without one."""
    rules = _rules()
    end = rules.find(f".{host}\n")
    if end < 0:
        return ""
    return (
        rules[rules.rfind("\n", 0, end) + 1 : end].lstrip("*.!") + rules[end : end + 1 + len(host)]
    )


@functools.cache
def _rules() -> str:
    """The text of the list: looking for a line in it costs less than making a set of ten thousand."""
    with open(_FILE, encoding="ascii") as file:
        return file.read()
