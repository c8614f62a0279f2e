"""The state of sandboxes on a cluster, as its API server reports it; nothing runs inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import (
    api,
    gateway_pods,
    hooks,
    losses,
    network_trial,
    records,
    sandboxes,
    surroundings,
    waiting,
)
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.control_name import ControlName
from sandboxd.model.labels import GATEWAY, MADE_BY, PROFILE, PROJECT, UP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.api import Cluster
    from sandboxd.backends.kubernetes.target import Target


class Sandbox(NamedTuple):
    """A sandbox as the API server describes it; '' in a field means unknown.

    `state` is ``running``, ``starting``, ``ending``, ``ended``, or ``unknown`` if its node does not answer; `why`
    explains it.
    """

    name: str
    state: str
    why: str
    profile: str
    node: str
    runtime_class: str
    image: str
    started: str
    """When it started (RFC 3339)."""
    gateway: str
    """``ready``, ``not ready``, ``none``, or ``not known`` if its Pod cannot be told from another."""
    gateway_why: str
    """The reason for ``not known``; else ''."""
    is_closed: bool
    """Whether the NetworkPolicy that isolates it exists."""
    enforced: str
    """Whether the cluster enforces that policy, as checked in its Pod before it started: ``enforced``, ``open`` or
    ``not checked``.
    """
    evidence: str
    """What that check observed, and when."""
    is_ours: bool
    """Whether this machine started it."""
    not_in_force: tuple[str, ...]
    hooks: tuple[str, ...]
    """Lifecycle hooks that failed or did not run, in words."""
    node_state: str = ""
    """``ready``, ``cordoned``, or ``not ready`` with the reason; '' if the user may not read it."""


def inspect(target: Target) -> Sandbox | None:
    """The sandbox of `target`; None if there is none."""
    pod = target.cluster.get(api.POD, target.pod)
    if pod is not None:
        return _sandbox(target.cluster, target.environ, pod)
    sandbox = sandboxes.find(target.cluster, target.pod)
    return None if sandbox is None else _without_pod(target, sandbox)


def _without_pod(target: Target, sandbox: Mapping[str, Any]) -> Sandbox:
    """A Sandbox of agent-sandbox whose Pod is gone, or did not come yet."""
    template = sandbox["spec"].get("podTemplate") or {}
    pod = {"metadata": {**sandbox["metadata"], **(template.get("metadata") or {})}}
    pod["spec"] = template.get("spec") or {}
    ended = sandboxes.end_of(sandbox)
    state, why = ("ended", ended) if ended else ("starting", sandboxes.reason_of(sandbox))
    as_pod = _sandbox(target.cluster, target.environ, pod)
    return as_pod._replace(state=state, why=why, is_ours=False)


def list_all(cluster: Cluster, environ: Mapping[str, str]) -> list[Sandbox]:
    """All sandboxes in the namespace that `up` started, sorted by name."""
    pods = cluster.list(api.POD, {MADE_BY: UP})
    return sorted(_sandbox(cluster, environ, pod) for pod in pods)


def _sandbox(cluster: Cluster, environ: Mapping[str, str], pod: Mapping[str, Any]) -> Sandbox:
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    name = str(metadata["name"])
    labels = metadata.get("labels") or {}
    record = records.recall(environ, cluster.context, name)
    uid = str(metadata.get("uid", ""))
    is_noted = record is not None and record.uid == uid
    is_ours = is_noted or cluster.is_ours(pod)
    state, why = _state(pod)
    node = surroundings.node_of(cluster, pod)
    if state == "running" and node.state.startswith("not ready"):
        state, why = "unknown", f"its node is {node.state}"
    elif state == "running" and not node.state and waiting.is_unready(pod):
        state, why = "unknown", "the cluster does not call it ready: its node may be gone"
    if not is_noted and is_ours and records.is_cut_off(environ, cluster.context, name, uid):
        state = "starting" if state == "running" else state
        why = (
            why
            or "its start goes on, or was cut off; `sandboxd up` makes it anew, `sandboxd down` takes it away"
        )
    lost = losses.noted(record, metadata)
    statuses = status.get("containerStatuses") or [{}]
    trial = network_trial.of_pod(pod)
    return Sandbox(
        name,
        state,
        why,
        str(labels.get(PROFILE, "")),
        str(spec.get("nodeName") or ""),
        str(spec.get("runtimeClassName") or ""),
        str(statuses[0].get("imageID") or statuses[0].get("image") or ""),
        str(status.get("startTime") or ""),
        *_gateway(cluster, name),
        _is_closed(cluster.get(api.NETWORK_POLICY, name), labels),
        trial.outcome,
        f"{trial.evidence} ({trial.moment})" if trial.moment else trial.evidence,
        is_ours,
        # Of the network a start, or the writer of the Pod, says less than the trial in the Pod since.
        tuple(
            f"{each.control}: {each.why}"
            for each in lost
            if trial.outcome != "enforced" or each.control != ControlName.NETWORK
        ),
        hooks.remarks(environ, cluster.context, name, uid),
        node.state,
    )


def _state(pod: Mapping[str, Any]) -> tuple[str, str]:
    ended = waiting.end_of(pod)
    if ended:
        return "ended", ended
    if "deletionTimestamp" in pod["metadata"]:
        return "ending", "it was deleted"
    if waiting.runs(pod):
        return "running", ""
    return "starting", waiting.reason_of(pod)


def _gateway(cluster: Cluster, name: str) -> tuple[str, str]:
    pods = cluster.list(api.POD, {GATEWAY: name})
    try:
        pod = gateway_pods.only(cluster, f"{name}-gateway", pods)
    except EnvironmentFailure as error:
        return "not known", error.message
    if pod is None:
        return "none", ""
    return "ready" if waiting.is_ready(pod) else "not ready", ""


def _is_closed(policy: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a policy selects the Pod and has both directions."""
    spec = (policy or {}).get("spec") or {}
    selected = (spec.get("podSelector") or {}).get("matchLabels") or {}
    types = spec.get("policyTypes") or ()
    return selected == {PROJECT: labels.get(PROJECT)} and {"Ingress", "Egress"} <= set(types)
