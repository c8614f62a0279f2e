"""The kinds of objects that the API server knows, and what it says of them: discovery and OpenAPI.

Sources: https://kubernetes.io/docs/reference/using-api/api-concepts/,
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.e2e.docker_cluster.failures import Refused


class Resource(NamedTuple):
    group_version: str
    plural: str
    kind: str
    namespaced: bool = True
    below: tuple[str, ...] = ("status",)
    kept: bool = True
    """False for a question that is answered and forgotten."""

    @property
    def qualified(self) -> str:
        """As messages and Roles name it: `deployments.apps`."""
        group, slash, _ = self.group_version.partition("/")
        return f"{self.plural}.{group}" if slash else self.plural

    @property
    def group(self) -> str:
        return self.group_version.partition("/")[0] if "/" in self.group_version else ""


_AUTHORIZATION = "authorization.k8s.io/v1"
RESOURCES = (
    Resource("v1", "namespaces", "Namespace", namespaced=False),
    Resource("v1", "nodes", "Node", namespaced=False),
    Resource("v1", "pods", "Pod", below=("status", "log", "exec")),
    Resource("v1", "services", "Service"),
    Resource("v1", "configmaps", "ConfigMap", below=()),
    Resource("v1", "secrets", "Secret", below=()),
    Resource("v1", "serviceaccounts", "ServiceAccount", below=()),
    Resource("v1", "events", "Event", below=()),
    Resource("apps/v1", "deployments", "Deployment"),
    Resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", below=()),
    Resource("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", namespaced=False, below=()),
    Resource("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", False, (), False),
    Resource(_AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, (), False),
    Resource(_AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, (), False),
)  # fmt: skip
SANDBOX = Resource("agents.x-k8s.io/v1beta1", "sandboxes", "Sandbox")
"""Of agent-sandbox, where the cluster has it."""

_SHORT = {
    "configmaps": ["cm"], "deployments": ["deploy"], "events": ["ev"], "namespaces": ["ns"],
    "networkpolicies": ["netpol"], "nodes": ["no"], "pods": ["po"], "services": ["svc"],
}  # fmt: skip

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


class Place(NamedTuple):
    """What a path leads to; `name` is '' for all of a kind, `below` for the object itself."""

    resource: Resource
    namespace: str
    name: str
    below: str


class Catalogue:
    """The kinds of one cluster."""

    def __init__(self, *more: Resource) -> None:
        self._all = RESOURCES + more

    def of_kind(self, kind: str) -> Resource:
        return next(each for each in self._all if each.kind == kind)

    def place(self, path: str) -> Place:
        """What `path` leads to.

        :raises Refused: nothing is there
        """
        parts = [part for part in path.split("/") if part]
        version, rest = (parts[1:2], parts[2:]) if parts[:1] == ["api"] else (parts[1:3], parts[3:])
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] != "status":
            namespace, rest = rest[1], rest[2:]
        plural, name, below = [*rest, "", "", ""][:3]
        for each in self._all:
            known = each.group_version == "/".join(version) and each.plural == plural
            if known and (not below or below in each.below):
                return Place(each, namespace, name, below)
        raise Refused(404, "the server could not find the requested resource")

    def discovery(self, path: str) -> dict[str, Any] | None:
        """The answer to a question for kinds; None for a path that asks no such question."""
        versions = sorted({each.group_version for each in self._all})
        if path == "/version":
            return {"major": "1", "minor": "32", "gitVersion": "v1.32.3", "platform": "linux/amd64"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [_group(each) for each in versions if "/" in each]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if path == "/openapi/v3":
            paths = {_folder(each): {"serverRelativeURL": f"/openapi/v3/{_folder(each)}"} for each in versions}  # fmt: skip
            return {"paths": paths}
        for each in versions:
            if path == f"/{_folder(each)}":
                return self._kinds(each)
            if path == f"/openapi/v3/{_folder(each)}":
                return self._openapi(each)
        return None

    def _kinds(self, group_version: str) -> dict[str, Any]:
        listed: list[dict[str, Any]] = []
        for each in (r for r in self._all if r.group_version == group_version):
            entry: dict[str, Any] = {
                "name": each.plural,
                "shortNames": _SHORT.get(each.plural, []),
                "singularName": each.kind.lower(),
                "namespaced": each.namespaced,
                "kind": each.kind,
                "verbs": _VERBS if each.kept else ["create"],
            }
            below = [{**entry, "name": f"{each.plural}/{part}", "verbs": ["create", "get"]} for part in each.below]  # fmt: skip
            listed += [entry, *below]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version,
            "resources": listed,
        }

    def _openapi(self, group_version: str) -> dict[str, Any]:
        """So much as makes kubectl leave the check of fields to the server."""
        group, _, version = group_version.rpartition("/")
        names = ("dryRun", "fieldManager", "fieldValidation", "force")
        parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
        paths = {}
        for each in (r for r in self._all if r.group_version == group_version):
            gvk = {"group": group, "version": version, "kind": each.kind}
            where = "namespaces/{namespace}/" if each.namespaced else ""
            patch = {"parameters": parameters, "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": gvk, "responses": {}}  # fmt: skip
            paths[f"/{_folder(group_version)}/{where}{each.plural}/{{name}}"] = {"patch": patch}
        info = {"title": "Kubernetes", "version": "v1.32.3"}
        return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _folder(group_version: str) -> str:
    return f"{'apis' if '/' in group_version else 'api'}/{group_version}"


def _group(group_version: str) -> dict[str, Any]:
    group, _, version = group_version.partition("/")
    one = {"groupVersion": group_version, "version": version}
    return {"name": group, "versions": [one], "preferredVersion": one}
