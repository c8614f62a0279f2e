"""What verify showed of a control counts as seen, with its age; it never hides what is seen to be missing."""

from __future__ import annotations

import pytest

from sandboxd.observe.control import Control
from sandboxd.observe.controls import kinds, proof_of
from sandboxd.verify import attempts
from sandboxd.verify.proof import with_proof

UNSEEN = Control("no-new-privileges", "not seen", "the host's /proc is closed")
HELD = {"setuid-program": "held"}


def judged(control: Control, outcomes: dict[str, str]) -> Control:
    (result,) = with_proof((control,), outcomes, "3 min")
    return result


def test_what_held_counts_as_seen() -> None:
    control = judged(UNSEEN, HELD)
    assert control.state == "in force"
    assert control.why == "held against setuid-program of `sandboxd verify`, 3 min ago"


@pytest.mark.parametrize("outcome", ["inconclusive", "not-applicable", "residual", None])
def test_what_was_not_shown_is_still_not_seen(outcome: str | None) -> None:
    outcomes = {} if outcome is None else {"setuid-program": outcome}
    assert judged(UNSEEN, outcomes) == UNSEEN


def test_all_attempts_have_to_hold() -> None:
    pin = Control("read-only /w/.git/hooks", "not seen", "")
    held = dict.fromkeys(proof_of(pin.name), "held")
    assert len(held) == 5
    assert judged(pin, held).state == "in force"
    assert judged(pin, {**held, "pin-truncate": "not-applicable"}).state == "not seen"
    assert judged(pin, {"pin-write": "held"}).state == "not seen"


def test_an_escape_counts_whatever_is_seen() -> None:
    in_force = UNSEEN._replace(state="in force")
    assert judged(in_force, {"setuid-program": "escaped"}).state == "not in force"


@pytest.mark.parametrize("state", ["not in force", "left out", "open"])
def test_what_is_seen_to_be_missing_stays_missing(state: str) -> None:
    observed = UNSEEN._replace(state=state)  # type: ignore[arg-type]
    assert judged(observed, HELD) == observed


def test_each_proof_is_an_attempt() -> None:
    known = {attempt.id for attempt in attempts.load()}
    named = {name for kind in kinds() for name in kind.PROOF}
    assert named and named <= known
