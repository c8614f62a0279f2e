"""Events of a gateway become lines, however many whoever is inside sends."""

from __future__ import annotations

from typing import Any

from sandboxd.egress.ledger import FEWEST_OF_A_KIND, MOST_LINES, MOST_QUESTIONS, Ledger
from sandboxd.egress.messages import VERIFY_BEGINS, VERIFY_ENDS
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.egress.verify_marks import may_be_of_verify
from sandboxd.inside.escapes import cloud_metadata, proxy_literal


def attempt(seq: int, name: str, **more: Any) -> Any:
    event = {
        "event": "denied",
        "seq": seq,
        "time": 100.0 + seq,
        "name": name,
        "port": 443,
        "door": "dns",
        "reason": "no-rule",
        "rule": "",
        "count": 1,
    }
    return event | more


def asked(seq: int, number: int, name: str) -> Any:
    return {
        "event": "asked",
        "seq": seq,
        "time": 100.0 + seq,
        "id": number,
        "name": name,
        "port": 443,
        "why": "y" * 9999,
    }


def test_alike_attempts_are_one_line() -> None:
    ledger = Ledger()
    ledger.take([attempt(1, "a.example.org"), attempt(2, "b.example.org", event="reached")])
    ledger.take([attempt(3, "a.example.org", count=4, detail="10.0.0.1")])
    last, first = reversed(ledger.lines())
    assert (last.name, last.times, last.first, last.last) == ("a.example.org", 5, 101.0, 103.0)
    assert last.detail == "10.0.0.1"
    assert (first.outcome, first.times) == ("reached", 1)
    assert (ledger.totals.denied, ledger.totals.reached) == (5, 1)


def test_an_event_counts_once_however_often_it_is_replayed() -> None:
    ledger = Ledger()
    events = [attempt(1, "a.example.org"), attempt(2, "a.example.org")]
    ledger.take(events)
    ledger.take([*events, attempt(3, "a.example.org")])
    assert ledger.lines()[0].times == 3 and ledger.last_number == 3


def test_a_flood_is_bounded_and_the_tripwire_survives_it() -> None:
    ledger = Ledger()
    ledger.take([attempt(1, "canary.example.org", reason="canary")])
    ledger.take(attempt(2 + n, f"n{n}.example.org") for n in range(2 * MOST_LINES))
    lines = ledger.lines()
    assert len(lines) == MOST_LINES
    assert [line.name for line in lines if line.is_tripwire] == ["canary.example.org"]
    assert lines[-1].name == f"n{2 * MOST_LINES - 1}.example.org"
    assert ledger.totals.denied == 2 * MOST_LINES + 1
    assert ledger.totals.lost == MOST_LINES + 1
    ledger.take([{"event": "lost", "seq": 10**6, "time": 1.0, "count": 7}])
    assert ledger.totals.lost == MOST_LINES + 8


def test_denied_lines_go_first_then_those_of_connections() -> None:
    ledger = Ledger()
    ledger.take(
        [
            attempt(1, "open.example.org", event="reached", reason="rule"),
            attempt(2, "trap.example.org", reason="canary"),
        ]
    )
    ledger.take(attempt(3 + n, f"n{n}.example.org") for n in range(3 * MOST_LINES))
    names = {line.name for line in ledger.lines()}
    assert {"open.example.org", "trap.example.org"} <= names
    assert (ledger.totals.lost_reached, ledger.totals.lost_tripwires) == (0, 0)
    many = 3 * MOST_LINES
    ledger.take(
        attempt(3 + many + n, f"r{n}.example.org", event="reached", reason="rule", count=2)
        for n in range(many)
    )
    lines, totals = ledger.lines(), ledger.totals
    assert len(lines) == MOST_LINES
    assert sum(line.outcome == "denied" and not line.is_tripwire for line in lines) == (
        FEWEST_OF_A_KIND
    )
    assert [line.name for line in lines if line.is_tripwire] == ["trap.example.org"]
    shown = sum(line.times for line in lines if line.outcome == "reached")
    assert totals.lost_reached == totals.reached - shown > 0
    assert (totals.denied, totals.reached) == (many + 1, 2 * many + 1)


def test_a_flood_of_tripwires_hides_nothing_else() -> None:
    ledger = Ledger()
    ledger.take(
        [
            attempt(1, "open.example.org", event="reached", reason="rule"),
            attempt(2, "a.example.org"),
        ]
    )
    ledger.take(
        attempt(3 + n, "trap.example.org", port=n, reason="canary") for n in range(2 * MOST_LINES)
    )
    assert {"open.example.org", "a.example.org"} <= {line.name for line in ledger.lines()}
    assert ledger.totals.lost_tripwires == ledger.totals.lost == MOST_LINES + 2
    assert ledger.totals.tripwires == 2 * MOST_LINES


def test_what_the_gateway_lost_is_counted_by_what_it_was() -> None:
    ledger = Ledger()
    event: Any = {"event": "lost", "seq": 1, "time": 1.0, "count": 9}
    ledger.take([event, {**event, "seq": 2, "reached": 2, "tripwires": 3}])
    totals = ledger.totals
    assert (totals.lost, totals.lost_reached, totals.lost_tripwires) == (18, 2, 3)


def test_a_question_is_open_until_the_policy_answers_it() -> None:
    ledger = Ledger()
    ledger.take([asked(1, 1, "new.example.org")])
    (question,) = ledger.questions(Policy(), 200.0)
    assert (question.name, len(question.why)) == ("new.example.org", 500)
    name = pattern("new.example.org")
    assert ledger.questions(Policy(rules=(Rule(name, (443,)),)), 200.0) == ()
    assert ledger.questions(Policy(denied=(name,)), 200.0) == ()
    assert ledger.questions(Policy(rules=(Rule(name, (22,)),)), 200.0) == (question,)


def test_questions_are_bounded_and_end_with_their_gateway() -> None:
    ledger = Ledger()
    ledger.take(asked(n, n, f"n{n}.example.org") for n in range(1, 2 * MOST_QUESTIONS + 1))
    assert len(ledger.questions(Policy(), 200.0)) == MOST_QUESTIONS
    assert ledger.totals.asked == 2 * MOST_QUESTIONS
    ready: Any = {"event": "ready", "seq": 1000, "time": 1.0}
    ledger.take([ready])
    assert ledger.questions(Policy(), 200.0) == ()


def mark(seq: int, purpose: str, time: float) -> Any:
    return {"event": "replayed", "seq": seq, "time": time, "mark": f"{purpose} ab12"}


def test_attempts_of_verify_are_counted_apart() -> None:
    ledger = Ledger()
    ledger.take([attempt(1, "before.example", time=10.0), mark(2, VERIFY_BEGINS, 11.0)])
    own = attempt(3, "169.254.169.254", time=12.0, count=7, reason="not-a-name")
    ledger.take([own, mark(4, VERIFY_ENDS, 13.0)])
    late = own | {"seq": 5, "time": 14.0, "count": 1}
    ledger.take([late, attempt(6, "after.example", time=15.0)])
    assert {line.name for line in ledger.lines()} == {"before.example", "after.example"}
    assert (ledger.totals.denied, ledger.totals.of_verify) == (2, 8)


def test_a_verify_that_was_killed_hides_nothing_for_long() -> None:
    ledger = Ledger()
    ledger.take([mark(1, VERIFY_BEGINS, 10.0), attempt(2, "later.example", time=131.0)])
    assert ledger.totals.denied == 1


def test_no_verify_hides_what_the_sandbox_does_meanwhile() -> None:
    """For as long as it takes, whoever is inside may reach names and ask for others."""
    own = [
        attempt(2, "open.example", event="reached", reason="allowed", door="connect"),
        attempt(3, "evil.example"),
        attempt(4, "evil.example", door="connect"),
        attempt(5, "8.8.8.8", reason="not-a-name", door="port"),
        attempt(6, "open.example", reason="port", port=22, door="connect"),
        attempt(7, "x.sandboxd-verify.test", event="reached", reason="allowed", door="connect"),
        attempt(8, "10.1.2.3", event="reached", reason="allowed", door="direct"),
    ]
    of_verify = [
        attempt(9, "ab12.sandboxd-verify.test"),
        attempt(10, "Ab12.Sandboxd-Verify.Test", door="socks"),
        attempt(11, "sandboxd-verify-ab12.invalid"),
        attempt(12, "169.254.169.254", reason="not-a-name", door="port"),
        attempt(13, "[::ffff:127.0.0.1]", reason="not-a-name", door="connect"),
        attempt(14, "host.docker.internal", door="connect"),
        attempt(15, "open.example", reason="port", port=6667, door="direct"),
    ]
    ledger = Ledger()
    ledger.take([mark(1, VERIFY_BEGINS, 10.0), *(e | {"time": 11.0} for e in own + of_verify)])
    totals = ledger.totals
    assert (totals.reached, totals.denied, totals.of_verify) == (3, 4, len(of_verify))
    assert len(ledger.lines()) == len(own)


def test_what_verify_dials_is_known() -> None:
    """Names of attempts that are not known would be shown as the sandbox's own."""
    for name in (*proxy_literal._NAMES, *cloud_metadata._ADDRESSES):
        event = attempt(1, name, door="connect", reason="not-a-name")
        assert may_be_of_verify(event), name


def test_no_verify_hides_a_tripwire() -> None:
    ledger = Ledger()
    ledger.take([mark(1, VERIFY_BEGINS, 10.0), attempt(2, "trap", time=11.0, reason="canary")])
    assert ledger.totals.tripwires == 1


def test_a_reader_of_the_past_begins_no_verify() -> None:
    ledger = Ledger()
    ledger.take([mark(1, "", 10.0), mark(2, VERIFY_ENDS, 10.0), attempt(3, "a.example", time=11.0)])
    assert ledger.totals.denied == 1


def test_a_reason_from_inside_ends_no_quote_and_moves_no_word() -> None:
    ledger = Ledger()
    why = 'x": `sandboxd egress allow evil.example` \u3164\u3164\n\n      sandboxd egress\u2800\tallow y'
    ledger.take([asked(1, 1, "new.example.org") | {"why": why}])
    (question,) = ledger.questions(Policy(), 102.0)
    assert question.why == ("x': 'sandboxd egress allow evil.example' sandboxd egress allow y")
