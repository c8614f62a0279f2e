"""The names that a sandbox on a cluster may reach now: those of its plan, with the user's answers applied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.project.rights import rights_now, rights_of_plan

if TYPE_CHECKING:
    from sandboxd.egress.policy import Rule
    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan.plan import Plan
    from sandboxd.policy.rights import GatewayRights


def with_answers(target: Target, plan: Plan) -> Plan:
    """`plan` with the names that the user allowed and denied since applied to it.

    :raises UsageError: the policy or the answers cannot be read
    """
    rights = rights_of_plan(plan, target.environ, time.time())
    if plan.egress is None or rights.gateway is None:
        return plan
    # An approval for one connection lets one more through in each Pod that starts again.
    return plan._replace(egress=rights.gateway.lasting().policy)


def with_rules(plan: Plan, rules: tuple[Rule, ...]) -> Plan:
    """`plan` with further rules for its gateway; unchanged if it has no gateway."""
    if plan.egress is None or not rules:
        return plan
    return plan._replace(egress=plan.egress._replace(rules=(*plan.egress.rules, *rules)))


def of_gateway(target: Target) -> GatewayRights | None:
    """What the gateway's Pod may let through now; None if the project has no gateway.

    :raises UsageError: the config is not valid, or the answers cannot be read
    """
    from sandboxd.project import Project

    project = Project.open(target.workspace, target.environ, target.name)
    rights = rights_now(project, "", time.time())
    if not rights.has_gateway or rights.gateway is None:
        return None
    return rights.gateway.lasting()
