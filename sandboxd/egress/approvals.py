"""Names that a person allowed or denied for one project, and the policy that follows from them. Pure.

An approval adds to the policy of the plan and never takes from it what forbids: denied names, canaries
and addresses that are never dialled stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sandboxd.egress.names import Pattern
from sandboxd.egress.policy import Policy, Rule

SOURCE = "approval"
"""Of the rules that come from approvals (`Rule.source`)."""

Obstacle = Literal["", "denied", "canary", "no-grants", "outside"]
"""The reason why an approval counts for nothing: the floor denies the name, nothing has a reason to ask for it, the
floor lets nobody grant, or has a list that does not hold it. '' where it counts."""


class Approval(NamedTuple):
    """One answer of a person. `ports` is empty for a denial, which means every port."""

    pattern: Pattern
    ports: tuple[int, ...]
    allows: bool
    when: float
    """Seconds since the epoch."""
    by: str
    """The place in which it was given: ``shell``, ``editor``."""
    until: float = 0.0
    """Seconds since the epoch at which it ends; 0 for never."""
    once: bool = False
    """It ends with the first connection."""

    def ended(self, now: float) -> bool:
        return bool(self.until) and now >= self.until


class Limits(NamedTuple):
    """The bounds that the floor sets to what a person may allow beyond a plan."""

    may_grant: bool = True
    lists: tuple[tuple[Rule, ...], ...] = ()
    """An allowed name has to be in each of these lists."""


def effective(planned: Policy, approvals: Iterable[Approval], limits: Limits, now: float) -> Policy:
    """The policy of the plan with the approvals of the project.

    A denial wins over an approval of the same name, whichever was given later.

    :param planned: its `denied` are those of the floor
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
        until=approval.until,
        once=approval.once,
    )


def obstacle(planned: Policy, pattern: Pattern, ports: tuple[int, ...], limits: Limits) -> Obstacle:
    """The reason why allowing `pattern` at `ports` would change nothing; '' where it would change something."""
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
