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
    "engine-gone",
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
"""Kinds of events: grants and answers of the user, actions on a sandbox, observations, and events of the record
itself."""

KINDS: tuple[Kind, ...] = get_args(Kind)

FIRST = "0" * 64
"""The hash of the line before, in the first entry, which has none before it."""

LONGEST_TEXT, MOST_ITEMS = 500, 200
"""The most characters of a text and the most items of a list in an entry; a cut list says how many items are left
out."""

LONGEST_LINE = 128 << 10
"""The most bytes of a line; of facts that would be longer only the names are kept."""


class Entry(NamedTuple):
    """One recorded event; the fields are those of its line of JSON."""

    number: int
    """Counted from 1 without gaps."""
    time: float
    """Seconds since 1970."""
    kind: Kind
    project: str
    """The path of the project's folder; '' for an event without a project."""
    by: str
    """The login name of the user."""
    facts: Mapping[str, Any]
    """Details, as JSON values. Names that were chosen inside a sandbox are hostile text."""
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
    """The entry in a line; None where the line is no valid entry."""
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
    """The number of gaps in the record that an entry reports.

    1 for an entry that reports a gap itself; for one about a rotation, the number of gaps in the removed file.
    """
    count = entry.facts.get("gaps") if entry.kind == "rotated" else 0
    return 1 if entry.kind == "gap" else count if type(count) is int else 0


def digest(text: bytes) -> str:
    """The hash of a line, which the next line contains.

    :param text: the line without its line end
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
