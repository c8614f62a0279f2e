"""The controls that are not in force on a cluster: of a plan, by the network check in the Pod, and of a Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes.records import lost_of_line
from sandboxd.model.control_name import ControlName
from sandboxd.plan import cluster as plan_cluster
from sandboxd.plan.reasons import Downgrade
from sandboxd.plan.writers.kubernetes import NOT_IN_FORCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sandboxd.backends.kubernetes.network_trial import Trial
    from sandboxd.backends.kubernetes.records import Lost, Record
    from sandboxd.plan.plan import Plan

NO_ICMP = (
    "Kubernetes defines NetworkPolicies for TCP, UDP and SCTP alone, so that ICMP may pass, as by kube-router's; "
    "`sandboxd verify` tries it"
)
"""Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-resource"""


def noted(record: Record | None, metadata: Mapping[str, Any]) -> Sequence[Lost]:
    """What is known to be not in force in a Pod: as the start of this machine noted it, else as its annotation says.

    :param record: this machine's record of the name of the Pod
    :param metadata: of the Pod
    """
    if record is not None and record.uid == metadata.get("uid"):
        return record.not_in_force
    lines = str((metadata.get("annotations") or {}).get(NOT_IN_FORCE, "")).splitlines()
    return [lost_of_line(line) for line in lines]


def not_in_force(plan: Plan, wishes: plan_cluster.Cluster, trial: Trial) -> tuple[Downgrade, ...]:
    """The controls of the plan that are not in force on this cluster.

    :param trial: the result of the network check
    """
    others = [
        each
        for each in plan_cluster.downgrades(plan, wishes)
        if each.control not in (ControlName.NETWORK, ControlName.WORKSPACE)
    ]
    network: list[Downgrade] = []
    if trial.outcome == "open":
        why = f"the cluster enforces no NetworkPolicy, so all that its network has is open: {trial.evidence}"
        network = [Downgrade(ControlName.NETWORK, why, "use a cluster whose network enforces them")]
    elif trial.outcome == "not checked":
        why = f"whether the cluster enforces NetworkPolicies was not checked: {trial.evidence}"
        network = [Downgrade(ControlName.NETWORK, why)]
    elif trial.outcome == "enforced":
        network = [Downgrade(ControlName.ICMP, NO_ICMP)]
    workspace = Downgrade(
        ControlName.WORKSPACE,
        "a private copy in a volume of the Pod: an eviction, the loss of its node and the time limit take it along, "
        "and no file in it is read-only",
        "bring the work from time to time: `sandboxd review` with the same `--on`",
    )
    return (*network, workspace, *others)
