"""The rights that a sandbox needs in a namespace, and the Roles that grant them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import failures
from sandboxd.backends.kubernetes.api import ACCESS_REVIEW, SELF_REVIEW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.backends.kubernetes.api import Cluster

_ACCOUNT = "system:serviceaccount:"
"""The beginning of a service account's user name, before its namespace and its name. Source:
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"""


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
        Right("get", "node.k8s.io", "runtimeclasses", "whose kernel a Pod has, for `verify`", is_optional=True, namespaced=False),
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


def user_name(cluster: Cluster) -> str:
    """The name by which the cluster knows the user; '' where it does not say, as before Kubernetes 1.28."""
    question = {"apiVersion": SELF_REVIEW.version, "kind": SELF_REVIEW.kind, "metadata": {}}
    try:
        status = cluster.create(SELF_REVIEW, question).get("status") or {}
    except failures.Refused:
        return ""
    return str((status.get("userInfo") or {}).get("username") or "")


def in_one_line(rights: Iterable[Right]) -> str:
    """`rights` in words: each resource with its verbs."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(str(right).partition(" ")[2], []).append(right.verb)
    return "; ".join(f"{', '.join(each)} {name}" for name, each in verbs.items())


def _subject(who: str) -> dict[str, str]:
    if who.startswith(_ACCOUNT):
        namespace, _, name = who.removeprefix(_ACCOUNT).partition(":")
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return {"kind": "User", "name": who, "apiGroup": "rbac.authorization.k8s.io"}


def roles(namespace: str, who: str = "") -> list[dict[str, Any]]:
    """Objects that grant the user `who` all rights: a Role with its binding, and a ClusterRole with its own.

    :param who: as `user_name` returns it; for '' there is `NAME` in its place
    """
    own = _rules(right for right in RIGHTS if right.namespaced)
    whole = _rules(right for right in RIGHTS if not right.namespaced)
    rbac = "rbac.authorization.k8s.io/v1"
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
                "subjects": [_subject(who or "NAME")],
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
