"""The names that a sandbox on a cluster may reach now: those of its plan, with the user's answers applied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.operations import _present_rights, recording
from sandboxd.policy.reconcile import to_record
from sandboxd.project.rights import rights_of_plan

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.egress.policy import Rule
    from sandboxd.plan.plan import Plan
    from sandboxd.policy.rights import Rights
    from sandboxd.state.given_rights import GivenRights


def for_start(target: Target, plan: Plan) -> Plan:
    """`plan` with the names that the user allowed and denied since applied to it, once what it gives is recorded.

    :raises UsageError: the policy or the answers cannot be read
    :raises RecordFailure: it cannot be recorded, and must not be given
    """
    rights = rights_of_plan(plan, target.environ, time.time())
    if plan.egress is None or rights.gateway is None:
        return plan
    # Secrets go there by an option, with an entry of its own.
    for step in to_record(rights._replace(credentials=()), Policy()):
        recording.before_widening(target.environ, target.sandbox, step.names, ())
    # An approval for one connection lets one more through in each Pod that starts again.
    return plan._replace(egress=rights.gateway.lasting().policy)


def with_rules(plan: Plan, rules: tuple[Rule, ...]) -> Plan:
    """`plan` with further rules for its gateway; unchanged if it has no gateway."""
    if plan.egress is None or not rules:
        return plan
    return plan._replace(egress=plan.egress._replace(rules=(*plan.egress.rules, *rules)))


def now(
    target: Target, uid: str, given: GivenRights | None, *, keeps_secrets: bool
) -> tuple[Rights, str | None] | None:
    """What a sandbox may have now, with the rights of its gateway's Pod; None if the gateway is to have no policy.

    With it the digest of the config that says so, None where that cannot be read.

    :param uid: of the sandbox's Pod
    :param given: what its gateway was given; None if that is not known
    :param keeps_secrets: whether the gateway has the secrets of credentials
    :raises UsageError: neither the config nor what else says so can be read
    """
    wanted, digest = _present_rights.read_by(given, target.sandbox, target.environ, uid)
    if wanted.gateway is None:
        return None
    pod = wanted.gateway.in_pod(keeps_secrets=keeps_secrets)
    doors = {service for service, _ in pod.policy.credentials}
    credentials = (e for e in wanted.credentials if doors.issuperset(door for door, _ in e.doors))
    return wanted._replace(gateway=pod, credentials=tuple(credentials)), digest
