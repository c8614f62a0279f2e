"""Finds the Pod that is a sandbox's gateway.

A label alone proves nothing, since everybody who may create Pods may set it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.backends.kubernetes import admission, api
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.backends.kubernetes.api import Cluster

_OF_NO_CONSEQUENCE = ("spec.imagePullSecrets", ".resources")
"""The API server itself adds the first, from the service account; the second gives nobody a way in."""
_ENDED = ("Succeeded", "Failed")
"""Phases of Pods that stay as a record, as one that was evicted does."""


class NotAsWritten(EnvironmentFailure):
    """The gateway's Pod differs from its Deployment."""


def running(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """The running Pod of the gateway of the sandbox `name`; None where none runs.

    :raises EnvironmentFailure: as `only`
    """
    pod = only(cluster, f"{name}-gateway", cluster.list(api.POD, {GATEWAY: name}))
    return pod if pod is not None and _phase(pod) == "Running" else None


def not_ended(cluster: Cluster, name: str) -> list[str]:
    """The names of the gateway's Pods that have not ended: they run, are starting or are being deleted.

    :param name: of the sandbox
    """
    return [
        str(pod["metadata"]["name"])
        for pod in cluster.list(api.POD, {GATEWAY: name})
        if _is_made_by(f"{name}-gateway", pod) and _phase(pod) not in _ENDED
    ]


def only(
    cluster: Cluster, deployment: str, pods: Iterable[dict[str, Any]]
) -> dict[str, Any] | None:
    """The one of `pods` that has not ended and is not being deleted; None where there is none.

    :param deployment: the name of the gateway's Deployment, which keeps one Pod at a time
    :raises EnvironmentFailure: there are several, or the Pod does not belong to that Deployment
    """
    there = [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"] and _phase(pod) not in _ENDED
    ]
    if len(there) > 1:
        names = ", ".join(sorted(f"`{pod['metadata']['name']}`" for pod in there))
        raise _not_told_apart(cluster, f"several Pods have the label of the gateway: {names}")
    if not there:
        return None
    name = there[0]["metadata"]["name"]
    text = f"the Pod `{name}` has the label of the gateway, and "
    if not _is_made_by(deployment, there[0]):
        raise _not_told_apart(cluster, f"{text}is not of its Deployment")
    # Its owner is what the Pod itself says: a Deployment that is not there has made none.
    if cluster.get(api.DEPLOYMENT, deployment) is None:
        raise _not_told_apart(cluster, f"{text}there is no Deployment `{deployment}`")
    return there[0]


def require_as_written(cluster: Cluster, name: str, pod: Mapping[str, Any]) -> None:
    """Check that `pod` runs what the gateway's Deployment says, and nothing else.

    Its owner reference does not prove that: everybody who may create a Pod may also write that reference.

    :raises NotAsWritten: it differs
    """
    deployment = cluster.get(api.DEPLOYMENT, f"{name}-gateway")
    if deployment is None:
        different = ["there is no such Deployment"]
    else:
        different = [
            each.words
            for each in admission.differences(deployment["spec"]["template"], pod)
            if not any(path in each.path for path in _OF_NO_CONSEQUENCE)
        ]
    if different:
        raise NotAsWritten(
            f"the gateway's Pod `{pod['metadata']['name']}` is not what its Deployment says, and is given no secret: "
            f"{different[0]}",
            "somebody else made it, or the cluster changes each Pod; where that is the image's name, give the "
            "changed one by `--gateway-image`",
        )


def _phase(pod: Mapping[str, Any]) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _is_made_by(deployment: str, pod: Mapping[str, Any]) -> bool:
    """Whether the Pod's controller has the name of the Deployment or of one of its ReplicaSets."""
    return any(
        owner.get("controller")
        and (owner.get("name") == deployment or str(owner.get("name")).startswith(f"{deployment}-"))
        for owner in pod["metadata"].get("ownerReferences") or ()
    )


def _not_told_apart(cluster: Cluster, text: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        text,
        "somebody else in the namespace made one: no secret is given, and no log is believed; "
        f"`{cluster.context.kubectl} get pods -l {GATEWAY}` shows them",
    )
