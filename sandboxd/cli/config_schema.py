"""The JSON schema of `sandboxd.toml` (draft 7), for editors that check TOML: Taplo, Even Better TOML.

It says what `config` says of one file alone. What the profile, the host or a policy refuses of a
file that is sound in itself, no schema can know.
"""

from __future__ import annotations

import json
from typing import Any

from sandboxd import rules
from sandboxd.config import keys
from sandboxd.config.key import DATE, NUMBER, TEXTS, Key, Table
from sandboxd.model.capabilities import CAPABILITIES
from sandboxd.plan import profiles

_NOT_BLANK = r"\S"
_NO_NUL = r"^[^\u0000]*$"
_VARIABLE_NAME = r"^[^=\u0000]+$"
_DATE = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


def text() -> str:
    """The schema as JSON, laid out for people as well."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema as data."""
    top, *others = keys.tables(tuple(rules.ids()))
    top_schema = _table(top)
    top_schema["properties"] |= {table.name: _entries(table) for table in others}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sandboxd.toml",
        **top_schema,
    }


def _entries(table: Table) -> dict[str, Any]:
    if not table.repeated:
        return _table(table)
    return {"description": f"{table.meaning}.", "type": "array", "items": _table(table)}


def _table(table: Table) -> dict[str, Any]:
    result: dict[str, Any] = {"description": f"{table.meaning}.", "type": "object"}
    if not table.is_open:
        result["properties"] = {key.name: _key(key) for key in table.keys}
        result["additionalProperties"] = False
        needed = [key.name for key in table.keys if not key.default]
        idle = [_idle(key.name, *key.idle_beside) for key in table.keys if key.idle_beside]
        return result | ({"required": needed} if needed else {}) | ({"allOf": idle} if idle else {})
    (key,) = table.keys
    if not key.names:
        return result | {
            "propertyNames": {"pattern": _VARIABLE_NAME},
            "additionalProperties": _key(key),
        }
    result["properties"] = {name: _key(key) | {"description": _rule(name)} for name in key.names}
    return result | {"additionalProperties": False}


def _idle(key: str, other: str, values: tuple[str, ...]) -> dict[str, Any]:
    """The schema by which `key` is refused beside one of these values of `other`."""
    return {"not": {"required": [key, other], "properties": {other: {"enum": list(values)}}}}


def _key(key: Key) -> dict[str, Any]:
    sentences = [f"{key.meaning}.", key.limits]
    if key.default:
        sentences.append(f"Without it: {key.default}.")
    result: dict[str, Any] = {"description": " ".join(filter(None, sentences))}
    if key.type == TEXTS:
        result |= {"type": "array", "items": _item(key)}
    elif key.type == DATE:
        result |= {"type": "string", "format": "date", "pattern": _DATE}
    elif key.type == NUMBER:
        result |= {"type": "integer", "minimum": 1}
    elif key.choices:
        result |= {"type": "string", "enum": list(key.choices)}
    elif key.pattern:
        result |= {"type": "string", "pattern": key.pattern}
    else:
        result |= {"type": "string", "pattern": _NO_NUL if key.may_be_empty else _NOT_BLANK}
    if key.own_text:
        result["not"] = {"pattern": rf"\$\{{({_any_case('local')})?{_any_case('env')}"}
    if key.literal is not None:
        result["default"] = key.literal
    if key.name == "profile":
        purposes = [profiles.load(name).purpose for name in key.choices]
        result["x-taplo"] = {"docs": {"enumValues": purposes}}
    return result


def _item(key: Key) -> dict[str, Any]:
    if not key.pattern:
        return _capability()
    form = {"type": "string", "pattern": key.pattern}
    if not key.choices:
        return form
    return {"anyOf": [{"type": "string", "enum": list(key.choices)}, form]}


def _capability() -> dict[str, Any]:
    """The names as they are offered, or in any other spelling that is understood."""
    names = "|".join(_any_case(name) for name in CAPABILITIES)
    return {
        "anyOf": [
            {"type": "string", "enum": list(CAPABILITIES)},
            {"type": "string", "pattern": f"^({_any_case('CAP_')})?({names})$"},
        ]
    }


def _any_case(word: str) -> str:
    """A pattern for `word` in upper, lower or mixed case: JSON schema has no flags."""
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word)


def _rule(name: str) -> str:
    summary: str = rules.get(name).META.summary
    return f"{summary[0].upper()}{summary[1:]}."
