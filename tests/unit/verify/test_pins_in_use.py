"""What the host sees of the pins in use goes before what was tried: no replica can say that they held."""

from __future__ import annotations

import pytest

from sandboxd.cli import verdict_report
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK
from sandboxd.observe.pin import Pin, State, Witness
from sandboxd.operations.verify import Verified
from sandboxd.verify.judge import Outcome
from sandboxd.verify.pins_in_use import judged
from sandboxd.verify.verdict import Result, Verdict

OTHER = Result("pin-write", "write", "held", "ro", "read-only file system")


def tried(outcome: Outcome) -> Result:
    return Result("lost-pin", "write where a pin was", outcome, "every pin holds", "EROFS")


def pin(state: State, *, read_only: bool = True) -> Pin:
    return Pin(".envrc", "/w/.envrc", "/p/.envrc", state, Witness.GOFER, "", read_only)


def verdict(outcome: Outcome, *pins: Pin) -> Verdict:
    return Verdict("c", "runc", "host", "dev", tuple(judged([OTHER, tried(outcome)], pins)))


@pytest.mark.parametrize("outcome", ["held", "inconclusive", "not-applicable", "escaped"])
def test_a_lost_pin_escaped_whatever_the_replica_says(outcome: Outcome) -> None:
    result = verdict(outcome, pin(State.HOLDS), pin(State.LOST))
    assert (result.held, result.exit_code) == (False, EXIT_NOT_HELD)
    first = result.results[0]
    assert (first.id, first.outcome) == ("lost-pin", "escaped")
    assert first.evidence.startswith("PIN LOST: `.envrc` was replaced or moved")


def test_what_was_not_checked_did_not_hold() -> None:
    result = verdict("held", pin(State.NOT_CHECKED))
    assert (result.held, result.exit_code) == (False, EXIT_ENVIRONMENT)
    assert "`.envrc`" in result.of("inconclusive")[0].evidence
    # What was tried inside counts as bad news all the same.
    escaped = verdict("escaped", pin(State.NOT_CHECKED))
    assert escaped.exit_code == EXIT_NOT_HELD
    assert escaped.results[0].evidence == "PIN LOST: EROFS"
    # Memory in the workspace shuts nothing.
    assert verdict("held", pin(State.NOT_CHECKED, read_only=False)).exit_code == EXIT_OK


def test_pins_that_hold_change_nothing() -> None:
    result = verdict("held", pin(State.HOLDS))
    assert [each.id for each in result.results] == ["pin-write", "lost-pin"]
    assert (result.held, result.exit_code) == (True, EXIT_OK)


def test_the_first_line_is_the_lost_pin(capsys: pytest.CaptureFixture[str]) -> None:
    verdict_report.conclude(Verified(verdict("held", pin(State.LOST)), 1.0, ()))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("✗ PIN LOST: `.envrc` was replaced or moved")
    assert lines[1] == "✗ THE SANDBOX DID NOT HOLD: lost-pin"
    assert any("hint: lost-pin: " in line and "`sandboxd up --recreate`" in line for line in lines)


@pytest.mark.parametrize("outcome", ["held", "not-applicable"])
def test_pins_are_said_to_be_tried_where_there_are_some(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify --container` is of any container."""
    verdict_report.conclude(Verified(verdict(outcome), 1.0, ()))
    assert ("the pins were looked at" in capsys.readouterr().err) is (outcome == "held")
