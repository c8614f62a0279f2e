"""What `status` says of a sandbox's gateway: the Pod of its Deployment, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.backends.kubernetes import api
from sandboxd.backends.kubernetes import state as pod_state
from sandboxd.backends.kubernetes.target import Target
from sandboxd.cli.on_cluster import looking
from tests.unit.operations.on_cluster.pods import TEAM


class Cluster:
    """Has the sandbox that is asked for, and these Pods with the label of its gateway."""

    context = TEAM

    def __init__(self, *gateways: dict[str, Any]) -> None:
        self.gateways = list(gateways)
        self.deployments: list[str] = []

    def get(self, kind: api.Kind, name: str) -> dict[str, Any] | None:
        if kind == api.DEPLOYMENT:
            return {"metadata": {"name": name}} if name in self.deployments else None
        if kind != api.POD:
            return None
        return {"metadata": {"name": name, "uid": "u"}, "status": {"phase": "Running"}}

    def list(self, *_: object) -> list[dict[str, Any]]:
        return self.gateways

    def is_ours(self, _: object) -> bool:
        return False


def gateway(name: str, owner: str = "", phase: str = "Running", **metadata: str) -> dict[str, Any]:
    """A Pod with the label; `owner` begins with `-` where it is of the sandbox's own objects."""
    return {
        "metadata": {"name": name, "owner": owner, **metadata},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
    }


OURS = gateway("ours", "-gateway-7d9")
UNREADY = {**OURS, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("pods", "state", "why"),
    [
        ((), "none", ""),
        ((OURS,), "ready", ""),
        ((UNREADY,), "not ready", ""),
        ((gateway("ours", "-gateway-7d9", "Failed"),), "none", ""),
        ((gateway("ours", "-gateway-7d9", deletionTimestamp="x"),), "none", ""),
        ((gateway("theirs"),), "not known", "the Pod `theirs` has the label of the gateway, and is not of its Deployment"),
        ((gateway("theirs", "-other"),), "not known", "the Pod `theirs` has the label"),
        ((UNREADY, gateway("theirs")), "not known", "several Pods have the label of the gateway: `ours`, `theirs`"),
    ],
)  # fmt: skip
def test_a_pod_of_somebody_else_is_not_its_gateway(
    pods: tuple[dict[str, Any], ...], state: str, why: str, tmp_path: Any
) -> None:
    cluster: Any = Cluster()
    target = Target(cluster, {"XDG_STATE_HOME": str(tmp_path)}, "/w", "/w", "")
    cluster.deployments = [f"{target.pod}-gateway"]
    for pod in pods:
        metadata = dict(pod["metadata"])
        owner = metadata.pop("owner")
        owners = [{"controller": True, "name": f"{target.pod}{owner}"}] if owner else []
        cluster.gateways.append({**pod, "metadata": {**metadata, "ownerReferences": owners}})
    sandbox = pod_state.inspect(target)
    assert sandbox is not None and sandbox.gateway == state
    assert sandbox.gateway_why.startswith(why) and bool(sandbox.gateway_why) is bool(why)
    (line,) = (each for each in looking._lines(sandbox, "team") if "gateway:" in each)
    assert line.endswith(f"gateway: {state}{': ' if why else ''}{sandbox.gateway_why}")


def test_a_pod_of_a_deployment_that_is_gone_is_not_its_gateway(tmp_path: Any) -> None:
    """A Pod says itself who its owner is."""
    cluster: Any = Cluster()
    target = Target(cluster, {"XDG_STATE_HOME": str(tmp_path)}, "/w", "/w", "")
    owners = [{"controller": True, "name": f"{target.pod}-gateway-7d9"}]
    cluster.gateways = [{**OURS, "metadata": {"name": "theirs", "ownerReferences": owners}}]
    sandbox = pod_state.inspect(target)
    assert sandbox is not None and sandbox.gateway == "not known"
    assert sandbox.gateway_why == (
        "the Pod `theirs` has the label of the gateway, and there is no Deployment "
        f"`{target.pod}-gateway`"
    )
