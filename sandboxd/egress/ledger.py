"""Sums up a gateway's events for people: one line for all attempts of the same kind. Pure.

Programs inside choose names and reasons, so all sizes are bounded, and what is left out is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.egress.credential_lines import CredentialLine, enter
from sandboxd.egress.messages import VERIFY_BEGINS, VERIFY_ENDS
from sandboxd.egress.names import LONGEST_NAME
from sandboxd.egress.policy import Policy, decide
from sandboxd.egress.questions import quotable
from sandboxd.egress.traffic import Traffic
from sandboxd.egress.verify_marks import may_be_of_verify

if TYPE_CHECKING:
    from sandboxd.egress.messages import Asked, Attempted, Event, Lost, Replayed

MOST_LINES, FEWEST_OF_A_KIND = 500, 100
"""The most lines in all, and the number of lines of each of `_KINDS` that other kinds never displace."""
MOST_QUESTIONS = 20
MOST_USES = 100
_LONGEST_VERIFY, _LATE_COUNT = 120.0, 1.5
"""Seconds after which nobody verifies any more, and in which a gateway reports what was alike."""
_LONGEST_WHY, _LONGEST_DETAIL = 500, 200

Outcome = Literal["denied", "reached"]

_KINDS = ("denied", "reached", "tripwire")
"""Of lines, in the order in which they go where there are too many."""


class Line(NamedTuple):
    """Attempts that differ only in their time."""

    outcome: Outcome
    name: str
    """The name that was asked for: hostile text."""
    port: int
    """0 where only the name was looked up."""
    door: str
    """How it was tried, as in `messages.Attempted`."""
    reason: str
    """Why it was denied or how it was allowed, as in `messages.Attempted`."""
    rule: str
    """The source of the rule that decided; '' without one."""
    detail: str
    times: int
    first: float
    """When the first attempt was made, in seconds since the epoch."""
    last: float
    """When the last attempt was made, in seconds since the epoch."""

    @property
    def is_tripwire(self) -> bool:
        """Whether a canary was asked for, a name that no program has a reason to ask for."""
        return self.reason == "canary"


class Question(NamedTuple):
    """A request from inside that a person is asked to allow.

    `name` and `why` are hostile text, the latter as `questions.quotable` returns it; `time` is in seconds since the
    epoch.
    """

    id: int
    name: str
    port: int
    why: str
    time: float


class Totals(NamedTuple):
    """Numbers of attempts of the gateway."""

    denied: int = 0
    reached: int = 0
    asked: int = 0
    tripwires: int = 0
    lost: int = 0
    """Attempts that are in no line, since there were too many."""
    lost_reached: int = 0
    """Those of `lost` in which a connection was made."""
    lost_tripwires: int = 0
    """Those of `lost` that used a tripwire."""
    of_verify: int = 0
    """Denied attempts that `sandboxd verify` has probably made; they are in no line and no other number."""


class Ledger:
    """Collects the events of one gateway, in their order; an event that was taken before is ignored."""

    def __init__(self) -> None:
        self.last_number = 0
        """The number of the last event."""
        self.totals = Totals()
        self.uses: deque[str] = deque(maxlen=MOST_USES)
        """The serials of the rules for one connection that were used, the latest."""
        self.credentials: dict[str, CredentialLine] = {}
        """The requests with credentials, by service."""
        self.held: frozenset[str] | None = None
        """The services for which the gateway has a secret; None where it has not reported them."""
        self.traffic = Traffic()
        """The bytes that were carried, by name."""
        self._verified_until = 0.0
        """The time by the gateway's clock up to which attempts are taken for those of verify."""
        self._lines: dict[str, dict[tuple[object, ...], Line]] = {kind: {} for kind in _KINDS}
        """By kind, each with the line first that changed longest ago."""
        self._questions: dict[int, Question] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Add `events`."""
        for event in events:
            if event["seq"] <= self.last_number:
                continue
            self.last_number = event["seq"]
            if event["event"] == "ready":
                # A gateway that began anew knows no question of the one before.
                self._questions.clear()
                self.held = frozenset()
                self.traffic.begin(event.get("counts_bytes") is True)
            elif event["event"] == "denied" or event["event"] == "reached":
                self._attempt(event)
            elif event["event"] == "replayed":
                self._look_for_verify(event)
            elif event["event"] == "asked":
                self._ask(event)
            elif event["event"] == "used":
                self.uses.append(event["once"])
            elif event["event"] == "credentials":
                self.held = frozenset(service for service, _ in event["services"])
            elif event["event"] == "credential":
                enter(self.credentials, event)
            elif event["event"] == "carried":
                self.traffic.take(event)
            elif event["event"] == "lost":
                self._lose(event)

    def lines(self) -> tuple[Line, ...]:
        """All lines, the one with the latest attempt last."""
        lines = (line for kind in self._lines.values() for line in kind.values())
        return tuple(sorted(lines, key=lambda line: line.last))

    def questions(self, policy: Policy, now: float) -> tuple[Question, ...]:
        """The questions that are still open: `policy` neither allows nor denies the name.

        :param now: seconds since the epoch
        """
        return tuple(
            question
            for question in self._questions.values()
            if decide(policy, question.name, question.port, now).reason in ("no-rule", "port")
        )

    def is_of_verify(self, time: float) -> bool:
        """Whether `sandboxd verify` is running at `time`, in seconds since the epoch by the gateway's clock."""
        return time < self._verified_until

    def _lose(self, event: Lost) -> None:
        totals = self.totals
        self.totals = totals._replace(
            lost=totals.lost + event["count"],
            lost_reached=totals.lost_reached + event.get("reached", 0),
            lost_tripwires=totals.lost_tripwires + event.get("tripwires", 0),
        )

    def _look_for_verify(self, event: Replayed) -> None:
        if event["mark"].startswith(VERIFY_BEGINS):
            self._verified_until = event["time"] + _LONGEST_VERIFY
        elif event["mark"].startswith(VERIFY_ENDS):
            self._verified_until = min(self._verified_until, event["time"] + _LATE_COUNT)

    def _attempt(self, event: Attempted) -> None:
        if self.is_of_verify(event["time"]) and may_be_of_verify(event):
            of_verify = self.totals.of_verify + event["count"]
            self.totals = self.totals._replace(of_verify=of_verify)
            return
        outcome: Outcome = "denied" if event["event"] == "denied" else "reached"
        name, detail = event["name"][:LONGEST_NAME], event.get("detail", "")[:_LONGEST_DETAIL]
        key = (outcome, name, event["port"], event["door"], event["reason"], event["rule"])
        lines = self._lines["tripwire" if event["reason"] == "canary" else outcome]
        line = lines.pop(key, None)
        count, time = event["count"], event["time"]
        lines[key] = (
            Line(
                outcome,
                name,
                event["port"],
                event["door"],
                event["reason"],
                event["rule"],
                detail,
                count,
                time,
                time,
            )
            if line is None
            else line._replace(times=line.times + count, last=time, detail=detail or line.detail)
        )
        totals = self.totals
        self.totals = totals._replace(
            denied=totals.denied + count * (outcome == "denied"),
            reached=totals.reached + count * (outcome == "reached"),
            tripwires=totals.tripwires + count * (event["reason"] == "canary"),
        )
        if sum(map(len, self._lines.values())) > MOST_LINES:
            self._forget_one()

    def _forget_one(self) -> None:
        """Remove one line: a denied one first, else a reached one, and of these the one that changed longest ago."""
        kind = next(kind for kind in _KINDS if len(self._lines[kind]) > FEWEST_OF_A_KIND)
        lines, totals = self._lines[kind], self.totals
        times = lines.pop(next(iter(lines))).times
        self.totals = totals._replace(
            lost=totals.lost + times,
            lost_reached=totals.lost_reached + times * (kind == "reached"),
            lost_tripwires=totals.lost_tripwires + times * (kind == "tripwire"),
        )

    def _ask(self, event: Asked) -> None:
        self.totals = self.totals._replace(asked=self.totals.asked + 1)
        if len(self._questions) >= MOST_QUESTIONS and event["id"] not in self._questions:
            self.totals = self.totals._replace(lost=self.totals.lost + 1)
            return
        name, why = event["name"][:LONGEST_NAME], quotable(event["why"][:_LONGEST_WHY])
        question = Question(event["id"], name, event["port"], why, event["time"])
        self._questions[event["id"]] = question
