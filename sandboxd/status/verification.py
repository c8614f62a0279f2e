"""The last result of `verify`, and whether it still applies to a project's container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandboxd.screen import duration
from sandboxd.status.model import Verification
from sandboxd.status.observe import Sandbox
from sandboxd.verify.last_verdict import Verified, age_seconds

if TYPE_CHECKING:
    from sandboxd.observe.pin import Pin
    from sandboxd.verify.judge import Outcome


def verification(
    live: Sandbox | None,
    drift: tuple[str, ...] | None,
    result: Verified | None,
    lost: tuple[Pin, ...] = (),
) -> Verification | None:
    """The last result of `verify` for a running container; None if there is none, or no container runs.

    It is `void` if it is of another container, or if the container lost a pin or differs from its plan; but an escape
    stays an escape.
    """
    if live is None or live.container is None or result is None:
        return None
    if result.identity != live.identity:
        return Verification("void", result.when, result.tried)
    if result.escaped:
        return Verification("escaped", result.when, result.tried, result.escaped)
    if lost:
        return Verification("void", result.when, result.tried)
    if drift:
        return Verification("void", result.when, result.tried, is_unlike_plan=True)
    state: Literal["held", "not shown"] = "held" if result.held else "not shown"
    not_tried, left_open = (_ids(result, outcome) for outcome in ("not-applicable", "residual"))
    return Verification(state, result.when, result.tried, (), not_tried, left_open)


def _ids(result: Verified, outcome: Outcome) -> tuple[str, ...]:
    return tuple(name for name, ended in result.outcomes.items() if ended == outcome)


def sentence(result: Verification) -> str:
    """The result as a sentence, with its age."""
    age = duration(age_seconds(result.when))
    if result.is_unlike_plan:
        return f"void: attacked {age} ago, and it is not as asked for; `sandboxd up` makes it so"
    if result.state == "void":
        return f"void: it is not what was attacked {age} ago; `sandboxd verify` attacks it again"
    if result.state == "escaped":
        return f"DID NOT HOLD {age} ago: {', '.join(result.escaped)}"
    if result.state == "not shown":
        return f"not shown to hold, {age} ago"
    attempts = "1 attempt" if result.tried == 1 else f"{result.tried} attempts"
    return f"held against {attempts} to escape, {age} ago"
