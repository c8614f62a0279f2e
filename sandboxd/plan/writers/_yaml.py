"""JSON values as YAML for people: blocks, and quotes only where a reader of YAML 1.1 or 1.2 needs them.

A string is plain only where it can be nothing else for either: what is left is written as JSON, which is YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"]

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*(?:[:@ ][A-Za-z0-9_./-]+)*\Z")
# Booleans and null of YAML 1.1: https://yaml.org/type/bool.html, https://yaml.org/type/null.html
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def documents(objects: Sequence[Mapping[str, Value]]) -> str:
    """`objects` as the documents of one file."""
    return "".join("---\n" + "".join(f"{line}\n" for line in _mapping(each)) for each in objects)


def _mapping(value: Mapping[str, Value]) -> Iterator[str]:
    for key, item in value.items():
        first, *rest = _entry(item)
        yield f"{_text(key)}:{first}"
        yield from rest


def _entry(item: Value) -> Iterator[str]:
    """The lines of a value: first what follows the colon, then whole lines."""
    if isinstance(item, Mapping) and item:
        yield ""
        yield from (f"  {line}" for line in _mapping(item))
    elif isinstance(item, str) and _is_block(item):
        yield " |"
        yield from (f"  {line}" if line else "" for line in item.splitlines())
    elif isinstance(item, Sequence) and not isinstance(item, str) and item:
        yield ""
        for each in item:
            yield from _item(each)
    else:
        yield f" {_scalar(item)}"


def _item(item: Value) -> Iterator[str]:
    """The lines of an entry of a list."""
    if isinstance(item, Mapping) and item:
        first, *rest = _mapping(item)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)
    elif isinstance(item, str) and _is_block(item):
        yield "- |"
        yield from (f"  {line}" if line else "" for line in item.splitlines())
    else:
        yield f"- {_scalar(item)}"


def _scalar(item: Value) -> str:
    return _text(item) if isinstance(item, str) else _flow(item)


def _flow(item: Value) -> str:
    """A value in one line, as JSON."""
    if isinstance(item, str):
        return _quoted(item)
    if isinstance(item, Mapping):
        pairs = (f"{_quoted(key)}: {_flow(each)}" for key, each in item.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(item, Sequence):
        return f"[{', '.join(_flow(each) for each in item)}]"
    return json.dumps(item)


def _text(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    # JSON spells a letter beyond U+FFFF as two, which YAML does not join.
    letters = (json.dumps(c)[1:-1] if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(letters)}"'


def _is_block(text: str) -> bool:
    """Whether each line can be written as it is in a block, including the end of the last one."""
    lines = text.split("\n")
    return (
        len(lines) > 2
        and lines[-1] == ""
        and lines[0][:1] not in ("", " ")
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and lines[-2] != ""
    )
