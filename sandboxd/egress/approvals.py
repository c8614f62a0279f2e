"""Names that a person allowed or denied for one project, and the policy that results from them. Pure.

An approval adds to the policy of the plan and never overrides what forbids there: denied names, canaries
and addresses that are never dialled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sandboxd.egress.names import Pattern
from sandboxd.egress.policy import Policy, Rule

SOURCE = "approval"
"""The `Rule.source` of rules that come from approvals."""

_LONG_OVER = 1.0
"""The end of the rule for an approval that is used up, in seconds since the epoch: it allows no connection any more."""

Obstacle = Literal["", "denied", "canary", "no-grants", "outside"]
"""Why an approval has no effect: the policy minimum denies the name (``denied``), the name is a canary (``canary``),
the policy minimum allows no grants (``no-grants``), or it has a list without the name (``outside``). '' where it has
effect."""


class Approval(NamedTuple):
    """One answer of a person: it allows or denies the names that match `pattern`.

    `ports` is () for a denial, which means every port.
    """

    pattern: Pattern
    ports: tuple[int, ...]
    allows: bool
    when: float
    """Seconds since the epoch."""
    by: str
    """Where it was given: ``shell`` or ``editor``."""
    until: float = 0.0
    """When it expires, in seconds since the epoch; 0 for never."""
    once: str = ""
    """For one that its first connection uses up, a serial that is never given twice; '' for others."""
    is_used: bool = False
    """Whether it is used up. It stays until its end, since the connection may be open: that one ends, too, when the
    approval is taken back.
    """

    def ended(self, now: float) -> bool:
        return bool(self.until) and now >= self.until


class Limits(NamedTuple):
    """What the policy minimum lets a person allow beyond a plan.

    `may_grant` is False where nothing may be allowed.
    """

    may_grant: bool = True
    lists: tuple[tuple[Rule, ...], ...] = ()
    """A name may be allowed only if each of these lists of rules covers it; () for no such limit."""


def effective(planned: Policy, approvals: Iterable[Approval], limits: Limits, now: float) -> Policy:
    """The policy of the plan with the approvals of the project added.

    A denial takes precedence over an approval of the same name, whichever was given later.

    :param planned: its `denied` are those of the policy minimum
    :param now: seconds since the epoch
    """
    living = [approval for approval in approvals if not approval.ended(now)]
    denied = tuple(dict.fromkeys(approval.pattern for approval in living if not approval.allows))
    rules = tuple(
        rule(approval)
        for approval in living
        if approval.allows
        and not obstacle(planned, approval.pattern, approval.ports, limits)
        and approval.pattern not in denied
    )
    extra = tuple(pattern for pattern in denied if pattern not in planned.denied)
    return planned._replace(rules=planned.rules + rules, denied=planned.denied + extra)


def rule(approval: Approval) -> Rule:
    """The policy rule for an approval. It never opens private addresses."""
    return Rule(
        approval.pattern,
        approval.ports,
        source=SOURCE,
        until=_LONG_OVER if approval.is_used else approval.until,
        once=approval.once,
    )


def obstacle(planned: Policy, pattern: Pattern, ports: tuple[int, ...], limits: Limits) -> Obstacle:
    """Why allowing `pattern` at `ports` would have no effect; '' where it would have one."""
    if not limits.may_grant:
        return "no-grants"
    if not pattern.below and pattern.host in planned.canaries:
        return "canary"
    if any(denied.covers(pattern) for denied in planned.denied):
        return "denied"
    if not all(_holds(held, pattern, port) for held in limits.lists for port in ports):
        return "outside"
    return ""


def _holds(held: tuple[Rule, ...], pattern: Pattern, port: int) -> bool:
    return any(port in rule.ports and rule.pattern.covers(pattern) for rule in held)
