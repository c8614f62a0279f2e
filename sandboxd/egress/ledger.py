"""The events of a gateway as a list for people: one line for each thing that was tried. Pure.

Whoever is inside chooses names and reasons, so everything is bounded, and what is left out is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.egress.credential_lines import CredentialLine, enter
from sandboxd.egress.messages import VERIFY_BEGINS, VERIFY_ENDS
from sandboxd.egress.names import LONGEST_NAME
from sandboxd.egress.policy import Policy, decide
from sandboxd.egress.questions import quotable
from sandboxd.egress.verify_marks import may_be_of_verify

if TYPE_CHECKING:
    from sandboxd.egress.messages import Asked, Attempted, Event, Lost, Replayed

MOST_LINES, FEWEST_OF_A_KIND = 500, 100
"""Lines in all, and of each of `_KINDS` that those of no other kind push out."""
MOST_QUESTIONS = 20
MOST_USES = 100
_LONGEST_VERIFY, _LATE_COUNT = 120.0, 1.5
"""Seconds after which nobody verifies any more, and in which a gateway reports what was alike."""
_LONGEST_WHY, _LONGEST_DETAIL = 500, 200

Outcome = Literal["denied", "reached"]

_KINDS = ("denied", "reached", "tripwire")
"""Of lines, in the order in which they go where there are too many."""


class Line(NamedTuple):
    """Attempts that differ in nothing but their time."""

    outcome: Outcome
    name: str
    """As it was asked for: hostile text."""
    port: int
    """0 where only the name was looked up."""
    door: str
    reason: str
    """As `messages.Attempted` has it."""
    rule: str
    detail: str
    times: int
    first: float
    """Seconds since the epoch."""
    last: float

    @property
    def is_tripwire(self) -> bool:
        """Whether a name was asked for that nothing has a reason to ask for."""
        return self.reason == "canary"


class Question(NamedTuple):
    """A question from inside; `name` and `why` are hostile text, the latter as `quotable` returns it."""

    id: int
    name: str
    port: int
    why: str
    time: float


class Totals(NamedTuple):
    """Numbers of attempts; one line of the ledger may stand for many."""

    denied: int = 0
    reached: int = 0
    asked: int = 0
    tripwires: int = 0
    lost: int = 0
    """Attempts that have no line any more, or never had one, since there were too many."""
    lost_reached: int = 0
    """Of `lost`, connections that were made."""
    lost_tripwires: int = 0
    """Of `lost`, uses of a tripwire."""
    of_verify: int = 0
    """Denied attempts such as `sandboxd verify` makes, while it made them, which are in no line and no other count."""


class Use(NamedTuple):
    """The use of a rule for one connection."""

    name: str
    port: int
    time: float


class Ledger:
    """Collects the events of one gateway in their order; one that was taken before is ignored."""

    def __init__(self) -> None:
        self.last_number = 0
        """The number of the last event."""
        self.totals = Totals()
        self.uses: deque[Use] = deque(maxlen=MOST_USES)
        """The last ones."""
        self.credentials: dict[str, CredentialLine] = {}
        """By service."""
        self.held: frozenset[str] | None = None
        """The services that the gateway has a secret for; None where it never said so."""
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
            elif event["event"] == "denied" or event["event"] == "reached":
                self._attempt(event)
            elif event["event"] == "replayed":
                self._look_for_verify(event)
            elif event["event"] == "asked":
                self._ask(event)
            elif event["event"] == "used":
                self.uses.append(Use(event["name"], event["port"], event["time"]))
            elif event["event"] == "credentials":
                self.held = frozenset(service for service, _ in event["services"])
            elif event["event"] == "credential":
                enter(self.credentials, event)
            elif event["event"] == "lost":
                self._lose(event)

    def lines(self) -> tuple[Line, ...]:
        """All lines, the latest last."""
        lines = (line for kind in self._lines.values() for line in kind.values())
        return tuple(sorted(lines, key=lambda line: line.last))

    def questions(self, policy: Policy, now: float) -> tuple[Question, ...]:
        """The questions that `policy` leaves open: one about a name that it allows or denies is answered."""
        return tuple(
            question
            for question in self._questions.values()
            if decide(policy, question.name, question.port, now).reason in ("no-rule", "port")
        )

    def is_of_verify(self, time: float) -> bool:
        """Whether `sandboxd verify` makes attempts at `time`, by the gateway's clock."""
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
