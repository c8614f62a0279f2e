"""The objects of a sandbox on its cluster: made in their order, taken away in the other."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sandboxd.cluster import admission, api, waiting
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.payload import gateway_zip
from sandboxd.plan.writers import kubernetes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.cluster.api import Cluster
    from sandboxd.plan import cluster as plan_cluster
    from sandboxd.plan.plan import Plan

PLAN = "dev.sandboxd.plan"
"""The annotation of the Pod by which a changed plan is known."""

_ANY_ADDRESS = "192.0.2.1"
"""Stands for the gateway's address until the cluster has given one: no address of a network."""


def gateway_address(cluster: Cluster, plan: Plan, options: plan_cluster.Cluster, name: str) -> str:
    """The address of the gateway's Service, which the cluster gives it.

    :raises EnvironmentFailure: it gives none
    """
    service = cluster.get(api.SERVICE, f"{name}-gateway")
    if service is None:
        written = kubernetes.objects(plan, options._replace(gateway_address=_ANY_ADDRESS), b"")
        document = next(
            o
            for o in written
            if o["metadata"]["name"] == f"{name}-gateway" and o["kind"] == "Service"
        )
        del document["spec"]["clusterIP"]
        service = cluster.apply(document)
    return str((service.get("spec") or {}).get("clusterIP", ""))


def written(
    plan: Plan, options: plan_cluster.Cluster, answered: Plan | None = None
) -> list[dict[str, Any]]:
    """The objects of a sandbox that `up` makes; the Pod is the last.

    :param answered: the plan with the user's answers about names, which are no change of the plan
    """
    program = gateway_zip.archive() if plan.egress is not None else b""
    objects = kubernetes.objects(plan, options, program)
    digest = hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:16]
    if answered is not None:
        objects = kubernetes.objects(answered, options, program)
    metadata = objects[-1]["metadata"]
    metadata["labels"][MADE_BY] = UP
    metadata["annotations"][PLAN] = digest
    return objects


def make(cluster: Cluster, objects: list[dict[str, Any]], say: Callable[[str], None]) -> list[str]:
    """Make them; returns what the cluster changed in them, each with the object's name."""
    changed = []
    for document in objects:
        kind, name = document["kind"], document["metadata"]["name"]
        say(f"making the {kind} `{name}`")
        differences = admission.differences(document, cluster.apply(document))
        changed += [f"{kind} `{name}`: {each}" for each in differences]
    return changed


def take_away(cluster: Cluster, name: str) -> bool:
    """Delete all objects of the sandbox `name`, the Pod first; whether there was a Pod.

    Returns once nothing of it runs.
    """
    was_there = cluster.delete(api.POD, name)
    for kind, title in (
        (api.DEPLOYMENT, f"{name}-gateway"),
        (api.SERVICE, f"{name}-gateway"),
        (api.SERVICE, f"{name}-clients"),
        (api.CONFIG_MAP, f"{name}-gateway-policy"),
        (api.CONFIG_MAP, f"{name}-gateway-program"),
    ):
        cluster.delete(kind, title)
    if was_there:
        waiting.until_gone(cluster, api.POD, name)
    # Last: while the Pod still runs it stays closed.
    for title in (name, f"{name}-gateway"):
        cluster.delete(api.NETWORK_POLICY, title)
    return was_there
