"""The names that a sandbox on a cluster is to reach now: those of its plan, with the answers of its user."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.plan.writers import kubernetes
from sandboxd.policy import approvals
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from sandboxd.egress.policy import Policy, Rule
    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan.plan import Plan


def with_answers(target: Target, plan: Plan) -> Plan:
    """`plan` with what the user allowed and denied by name.

    :raises UsageError: the policy or the answers cannot be read
    """
    if plan.egress is None:
        return plan
    demands = in_force(target.environ)
    policy = approvals.in_force(target.environ, target.workspace, plan.egress, demands, time.time())
    return plan._replace(egress=_lasting(policy))


def with_rules(plan: Plan, rules: tuple[Rule, ...]) -> Plan:
    """`plan` with further names."""
    if plan.egress is None or not rules:
        return plan
    return plan._replace(egress=plan.egress._replace(rules=(*plan.egress.rules, *rules)))


def policy_now(target: Target, *, keeps_secrets: bool = False) -> Policy | None:
    """The policy that the gateway's Pod is to have, with its version; None where the project has no gateway.

    :param keeps_secrets: it is given those of the policy's credentials
    :raises UsageError: the config is not valid, or the answers cannot be read
    """
    from sandboxd.project import Project
    from sandboxd.project.names import names_now

    project = Project.open(target.workspace, target.environ, target.name)
    policy = names_now(project, time.time()).policy
    if policy is None:
        return None
    return kubernetes.for_pod(_lasting(policy), keeps_secrets=keeps_secrets)


def _lasting(policy: Policy) -> Policy:
    """The policy without approvals for one connection: a gateway's Pod that starts again would let one more through."""
    return policy._replace(rules=tuple(rule for rule in policy.rules if not rule.once))
