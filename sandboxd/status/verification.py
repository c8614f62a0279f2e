"""The last result of `verify`: whether it still says something of a project's container."""

from __future__ import annotations

from sandboxd.status.model import Verification
from sandboxd.status.observe import Seen
from sandboxd.verify.last_verdict import Verified, age_seconds, duration


def verification(
    seen: Seen | None, drift: tuple[str, ...] | None, found: Verified | None
) -> Verification | None:
    """The last result of `verify` for a running container, as far as it holds for it as it is now."""
    if seen is None or seen.container is None or found is None:
        return None
    if found.identity != seen.identity or drift:
        return Verification("void", found.when, found.tried)
    if found.escaped:
        return Verification("escaped", found.when, found.tried, found.escaped)
    return Verification("held" if found.held else "not shown", found.when, found.tried)


def sentence(found: Verification) -> str:
    """For a person: what came out, and how long ago."""
    age = duration(age_seconds(found.when))
    if found.state == "void":
        return f"void: it is not what was attacked {age} ago; `sandboxd verify` attacks it again"
    if found.state == "escaped":
        return f"DID NOT HOLD {age} ago: {', '.join(found.escaped)}"
    if found.state == "not shown":
        return f"not shown to hold, {age} ago"
    attempts = "1 attempt" if found.tried == 1 else f"{found.tried} attempts"
    return f"held against {attempts} to escape, {age} ago"
