"""Objects of the kind Sandbox of agent-sandbox: whether a cluster has that kind, and why one has no Pod.

Source: kubernetes-sigs/agent-sandbox, api/v1beta1/sandbox_types.go of August 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.backends.kubernetes import failures
from sandboxd.backends.kubernetes.api import SANDBOX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.api import Cluster


def are_there(cluster: Cluster) -> bool:
    """Whether the cluster has the kind Sandbox in the version that sandboxd writes."""
    try:
        answer = cluster.text(f"/apis/{SANDBOX.version}", "say whether it has agent-sandbox")
    except failures.Refused as error:
        if error.code == 404:
            return False
        raise
    resources = answer.get("resources") or ()
    return any(each.get("name") == SANDBOX.plural for each in resources)


def find(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """The Sandbox `name`; None where there is none, or where the user may not read it, who then made none."""
    try:
        return cluster.get(SANDBOX, name)
    except failures.Refused:
        return None


def end_of(sandbox: Mapping[str, Any]) -> str:
    """Why a Sandbox has no Pod and will get none, for a person; '' where one may still come."""
    spec, ready = sandbox.get("spec") or {}, _ready(sandbox)
    if ready.get("reason") == "SandboxExpired":
        return "its time limit is over"
    if spec.get("operatingMode") == "Suspended":
        return "somebody suspended it, and its Pod was taken away"
    return ""


def reason_of(sandbox: Mapping[str, Any]) -> str:
    """Why a Sandbox is not ready, in its controller's words; '' where it says nothing."""
    ready = _ready(sandbox)
    if ready.get("status") == "True":
        return ""
    return " ".join(str(ready.get("message") or ready.get("reason") or "").split())[:300]


def _ready(sandbox: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = (sandbox.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next((c for c in conditions if c.get("type") == "Ready"), {})
    return ready
