"""The Kubernetes objects of a sandbox: created in order, deleted in reverse."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandboxd.backends.kubernetes import admission, api, sandboxes, waiting
from sandboxd.engine.payload import gateway_zip
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.plan.writers import kubernetes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.api import Cluster
    from sandboxd.plan import cluster as plan_cluster
    from sandboxd.plan.plan import Plan

PLAN = "dev.sandboxd.plan"
"""The annotation of the Pod with a digest of the plan, by which a changed plan is noticed."""

_ANY_ADDRESS = "192.0.2.1"
"""A placeholder for the gateway's address (from a range for documentation), until the cluster has assigned one."""


def gateway_address(cluster: Cluster, plan: Plan, options: plan_cluster.Cluster, name: str) -> str:
    """The cluster IP of the gateway's Service, which is created if it is missing.

    :raises EnvironmentFailure: the Service has no IPv4 address
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
    address = str((service.get("spec") or {}).get("clusterIP") or "")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        raise _no_address(cluster, f"{name}-gateway", address) from None
    return address


def _no_address(cluster: Cluster, service: str, address: str) -> EnvironmentFailure:
    given = f"the address `{address[:80]}`" if address else "no address"
    kubectl = cluster.context.kubectl
    return EnvironmentFailure(
        f"the Service `{service}` has {given}, and the sandbox reaches its gateway by an IPv4 address alone",
        f"`{kubectl} delete service {service}`, then run the command again; if the next one has none either, "
        "ask who manages the cluster for an IPv4 range of Services",
    )


def with_address(
    cluster: Cluster, plan: Plan, options: plan_cluster.Cluster, name: str
) -> plan_cluster.Cluster:
    """`options` with the address of the gateway's Service, which is created if it is missing; unchanged without a
    gateway.

    :raises EnvironmentFailure: the Service has no IPv4 address
    """
    if plan.egress is None:
        return options
    return options._replace(gateway_address=gateway_address(cluster, plan, options, name))


def written(
    plan: Plan, options: plan_cluster.Cluster, answered: Plan | None = None
) -> list[dict[str, Any]]:
    """The objects of a sandbox that `up` creates, in order; the Pod, or the Sandbox in its place, is the last.

    :param answered: the plan with the user's answers about names; they are not part of the digest in `PLAN`. None: no
        answers
    """
    program = gateway_zip.archive() if plan.egress is not None else b""
    objects = kubernetes.objects(plan, options, program)
    digest = hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:16]
    if answered is not None:
        objects = kubernetes.objects(answered, options, program)
    metadata = pod_of(objects)["metadata"]
    metadata["labels"][MADE_BY] = UP
    metadata["annotations"][PLAN] = digest
    return objects


def pod_of(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The workspace's Pod among `objects`; for a Sandbox, the Pod that its controller is expected to create."""
    last = objects[-1]
    if last["kind"] == "Pod":
        return last
    template = last["spec"]["podTemplate"]
    # Labels and annotations are those of the template, and no copies.
    metadata = {**last["metadata"], **template["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def make(
    cluster: Cluster, objects: list[dict[str, Any]], seconds: int, say: Callable[[str], None]
) -> list[str]:
    """Create the objects; return what the cluster changed in them, each with the object's name.

    :param seconds: the lifetime of a Sandbox; 0 for no limit
    :param say: called with each step
    :raises EnvironmentFailure: the cluster rejects one, or does not say when it was created
    """
    changed, now = [], ""
    for document in objects:
        kind, name = document["kind"], document["metadata"]["name"]
        say(f"making the {kind} `{name}`")
        if kind == api.SANDBOX.kind and seconds and now:
            document["spec"]["shutdownTime"] = _later(now, seconds)
        answer = cluster.apply(document)
        now = max(now, str(answer["metadata"].get("creationTimestamp", "")))
        made_of_it = admission.differences(document, answer)
        changed += [f"{kind} `{name}`: {each.words}" for each in made_of_it]
    return changed


def _later(moment: str, seconds: int) -> str:
    """The time `seconds` after a time of the API server's clock, as RFC 3339 text.

    :raises EnvironmentFailure: it is none
    """
    try:
        time = datetime.fromisoformat(moment.replace("Z", "+00:00")) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise EnvironmentFailure(
            f"the cluster says that it made an object at `{moment[:80]}`, which is no time",
            "a Sandbox needs one for its end: start without `--sandbox`",
        ) from None
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def take_away(cluster: Cluster, name: str) -> bool:
    """Delete all objects of the sandbox `name`, the Pod first; return whether there was a Pod.

    It returns when nothing of the sandbox runs any more.
    """
    # Its controller would make another Pod.
    of_sandbox = sandboxes.find(cluster, name) is not None and cluster.delete(api.SANDBOX, name)
    was_there = cluster.delete(api.POD, name) or of_sandbox
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
    if of_sandbox:
        waiting.until_gone(cluster, api.SANDBOX, name)
    # Without its Deployment the cluster ends it in its own time.
    waiting.until_no_gateway(cluster, name)
    # Last: while a Pod still runs it stays closed.
    for title in (name, f"{name}-gateway"):
        cluster.delete(api.NETWORK_POLICY, title)
    return was_there
