"""An entry of the audit record as a line of JSON, chained to the line before by its hash. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast, get_args

Kind = Literal[
    "trust",
    "trust-revoked",
    "approval",
    "denial",
    "answers-removed",
    "weakened",
    "widened",
    "credential-added",
    "credential-removed",
    "policy",
    "variables",
    "forward",
    "start",
    "refused",
    "stop",
    "network",
    "tripwire",
    "attempts-lost",
    "halt",
    "halt-ended",
    "credential",
    "login",
    "verify",
    "drift",
    "review",
    "rotated",
    "gap",
]
"""Kinds of events: grants and answers of the user, acts on a sandbox, observations, then of the record itself."""

KINDS: tuple[Kind, ...] = get_args(Kind)

FIRST = "0" * 64
"""Stands for the line before the first one."""

LONGEST_TEXT, MOST_ITEMS = 500, 200
"""Characters of one text, and items of one list, that an entry holds; a list says how many it left out."""

LONGEST_LINE = 128 << 10
"""Bytes of a line; of facts that would be longer only the names are kept."""


class Entry(NamedTuple):
    """One recorded event. Its fields are those of the line of JSON."""

    number: int
    """Counts from 1 without gaps."""
    time: float
    """Seconds since 1970."""
    kind: Kind
    project: str
    """The project's folder; '' for what belongs to no project."""
    by: str
    """The login name of the user."""
    facts: Mapping[str, Any]
    """Details, as JSON values. A name that something inside a sandbox chose is hostile text."""
    before: str
    """The hash of the line before; `FIRST` in the first line."""


def line(entry: Entry) -> bytes:
    """The JSON line of `entry`, without a line end."""
    text = _line(entry, bounded(entry.facts))
    if len(text) <= LONGEST_LINE:
        return text
    return _line(
        entry, dict.fromkeys(map(bounded, list(entry.facts)[:MOST_ITEMS]), "left out: too long")
    )


def read(text: bytes) -> Entry | None:
    """The entry that a line holds; None where it holds none."""
    try:
        fields = json.loads(text)
        entry = Entry(**fields)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (entry.kind, entry.project, entry.by, entry.before)
    is_entry = (
        type(entry.number) is int
        and isinstance(entry.time, int | float)
        and isinstance(entry.facts, dict)
        and all(isinstance(text, str) for text in texts)
    )
    return entry if is_entry else None


def gaps(entry: Entry) -> int:
    """Gaps in the record that an entry tells of: a gap itself, or those in what a rotation removed."""
    count = entry.facts.get("gaps") if entry.kind == "rotated" else 0
    return 1 if entry.kind == "gap" else count if type(count) is int else 0


def digest(text: bytes) -> str:
    """The hash by which the next line names this one.

    :param text: the line without its end
    """
    return hashlib.sha256(text).hexdigest()


def _line(entry: Entry, facts: object) -> bytes:
    return json.dumps({**entry._asdict(), "facts": facts}, separators=(",", ":")).encode("ascii")


def bounded(value: Any) -> Any:
    """`value` with long texts and lists cut, at every depth."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[: LONGEST_TEXT - 3] + "..."
    if isinstance(value, Mapping):
        return {str(key): bounded(each) for key, each in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list | tuple):
        cut = [bounded(each) for each in value[:MOST_ITEMS]]
        left = len(value) - len(cut)
        return [*cut, f"and {left} more"] if left else cut
    return cast("Any", value)
