"""The last result of `verify`: whether it still says something of a project's container."""

from __future__ import annotations

import datetime

from sandboxd.status.model import Verification
from sandboxd.status.observe import Seen
from sandboxd.verify import last_verdict


def verification(seen: Seen | None, drift: tuple[str, ...] | None) -> Verification | None:
    """The result that was kept for a running container; reads one small file."""
    if seen is None or seen.container is None or not seen.id:
        return None
    found = last_verdict.recall(seen.id)
    if found is None:
        return None
    if found.identity != seen.identity or drift:
        return Verification("void", found.when, found.tried)
    if found.escaped:
        return Verification("escaped", found.when, found.tried, found.escaped)
    return Verification("held" if found.held else "not shown", found.when, found.tried)


def age_seconds(found: Verification) -> float:
    return max(0.0, datetime.datetime.now(datetime.UTC).timestamp() - found.when)


def sentence(found: Verification) -> str:
    """For a person: what came out, and how long ago."""
    age = duration(age_seconds(found))
    if found.state == "void":
        return f"void: it is not what was attacked {age} ago; `sandboxd verify` attacks it again"
    if found.state == "escaped":
        return f"DID NOT HOLD {age} ago: {', '.join(found.escaped)}"
    if found.state == "not shown":
        return f"not shown to hold, {age} ago"
    attempts = "1 attempt" if found.tried == 1 else f"{found.tried} attempts"
    return f"held against {attempts} to escape, {age} ago"


def duration(seconds: float) -> str:
    """In its largest unit: `40 s`, `3 min`, `2 h`, `5 d`."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {name}"
    return f"{seconds:.0f} s"
