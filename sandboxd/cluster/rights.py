"""The rights that a sandbox needs in a namespace, and a Role that grants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.cluster.api import ACCESS_REVIEW

if TYPE_CHECKING:
    from sandboxd.cluster.api import Cluster


class Right(NamedTuple):
    """A verb on a resource of an API group, and what it is needed for.

    `is_optional`: without it sandboxd works, but knows less or cannot do one thing.
    """

    verb: str
    group: str
    resource: str
    what_for: str
    subresource: str = ""
    is_optional: bool = False
    namespaced: bool = True

    def __str__(self) -> str:
        whole = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {whole}"


def _rights() -> tuple[Right, ...]:
    resources = (
        ("", "pods", "the sandbox"),
        ("", "services", "the address of the gateway"),
        ("", "configmaps", "the gateway's program and policy"),
        ("apps", "deployments", "the gateway"),
        ("networking.k8s.io", "networkpolicies", "closing the sandbox's network"),
    )
    verbs = ("get", "list", "create", "patch", "delete")
    rights = [
        Right(verb, group, resource, why) for group, resource, why in resources for verb in verbs
    ]
    return (
        *rights,
        Right("get", "", "pods", "commands inside", "exec"),
        Right("create", "", "pods", "commands inside", "exec"),
        Right("get", "", "pods", "`logs`", "log"),
        *(
            Right(verb, "agents.x-k8s.io", "sandboxes", "`up --sandbox`", is_optional=True)
            for verb in ("get", "create", "patch", "delete")
        ),
        Right("list", "", "events", "why a Pod does not start", is_optional=True),
        Right("get", "", "nodes", "which kernel a node has, for `verify`", is_optional=True, namespaced=False),
        Right("list", "node.k8s.io", "runtimeclasses", "finding gVisor", is_optional=True, namespaced=False),
    )  # fmt: skip


RIGHTS = _rights()


def missing(cluster: Cluster) -> list[Right]:
    """The rights that the user does not have, as the API server says."""
    return [right for right in RIGHTS if not _has(cluster, right)]


def _has(cluster: Cluster, right: Right) -> bool:
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    if right.subresource:
        attributes["subresource"] = right.subresource
    if right.namespaced:
        attributes["namespace"] = cluster.context.namespace
    question = {
        "apiVersion": ACCESS_REVIEW.version,
        "kind": ACCESS_REVIEW.kind,
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    status = cluster.create(ACCESS_REVIEW, question).get("status") or {}
    return status.get("allowed") is True


def roles(namespace: str, who: str = "NAME") -> list[dict[str, Any]]:
    """Objects that grant the user `who` all rights: a Role with its binding, and a ClusterRole with its own."""
    own = _rules(right for right in RIGHTS if right.namespaced)
    whole = _rules(right for right in RIGHTS if not right.namespaced)
    rbac = "rbac.authorization.k8s.io/v1"
    subject = {"kind": "User", "name": who, "apiGroup": "rbac.authorization.k8s.io"}
    documents: list[dict[str, Any]] = []
    for kind, place, rules in (
        ("Role", {"namespace": namespace}, own),
        ("ClusterRole", {}, whole),
    ):
        metadata = {"name": "sandboxd", **place}
        documents.append({"apiVersion": rbac, "kind": kind, "metadata": metadata, "rules": rules})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "sandboxd"}
        documents.append(
            {
                "apiVersion": rbac,
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": reference,
                "subjects": [subject],
            }
        )
    return documents


def _rules(rights: Any) -> list[dict[str, Any]]:
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        name = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
        verbs.setdefault((right.group, name), []).append(right.verb)
    return [
        {"apiGroups": [group], "resources": [name], "verbs": each}
        for (group, name), each in verbs.items()
    ]
