"""An init container that checks a sandbox's network from its own Pod, before anything of the project is in it.

It runs the gateway's image, not the project's, on the node and in the network of the sandbox. If the profile needs
gVisor, the Pod only starts if the check saw that the NetworkPolicies are enforced.

Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/ (they end, one after the other, before
containers start), https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ (their
message).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandboxd.egress import layout
from sandboxd.model.labels import TRIAL
from sandboxd.plan import cluster, profiles
from sandboxd.plan.writers._pod_security import CONTAINER

if TYPE_CHECKING:
    from sandboxd.plan.cluster import Cluster
    from sandboxd.plan.plan import Plan

_MESSAGE = "/dev/termination-log"
_WAIT_SECONDS = 180
"""Seconds to wait for the gateway: a node that has to pull its image takes minutes."""
_OPEN_SECONDS = 15
"""Seconds for which an open network is tolerated: networks that learn of the Pod and of its policy from the API server
enforce the policy some seconds after the Pod exists.
"""


def is_required(plan: Plan) -> bool:
    """Whether the Pod may start only if NetworkPolicies are enforced."""
    return profiles.load(plan.profile).gvisor == "required"


def containers(plan: Plan, options: Cluster) -> list[dict[str, Any]]:
    """The init container of the check; [] if `options` name no image or program for it."""
    if not cluster.is_tried(options):
        return []
    has_gateway, address = plan.egress is not None, options.gateway_address
    task = {
        "allowed": (address, layout.PROXY_PORT) if has_gateway else None,
        # It listens there for the kubelet's probes.
        "forbidden": [(address, layout.PROBE_PORT)] if has_gateway else [],
        "required": is_required(plan),
        "wait_seconds": _WAIT_SECONDS,
        "open_seconds": _OPEN_SECONDS,
        "message": _MESSAGE,
    }
    words = ["python3", "-I", "-S", "-c", options.trial, json.dumps(task)]
    node = {"fieldRef": {"fieldPath": "status.hostIP"}}
    return [
        {
            "name": TRIAL,
            "image": options.gateway_image,
            # The kubelet replaces `$(NAME)`, and takes `$$` for a dollar sign.
            "command": [word.replace("$", "$$") for word in words],
            "env": [{"name": "SANDBOXD_HOST_IP", "valueFrom": node}],
            "terminationMessagePath": _MESSAGE,
            "securityContext": CONTAINER,
            "resources": {
                "requests": {"cpu": "20m", "memory": "48Mi"},
                "limits": {"cpu": "1", "memory": "128Mi", "ephemeral-storage": "64Mi"},
            },
        }
    ]
