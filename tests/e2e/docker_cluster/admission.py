"""What the API server makes of an object before it keeps it: defaults, checks, and what a test adds.

Sources: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/,
https://kubernetes.io/docs/reference/kubernetes-api/ (the defaults of each field).
"""

from __future__ import annotations

import contextlib
import copy
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]

from tests.e2e.docker_cluster.failures import Refused, forbidden, invalid
from tests.e2e.docker_cluster.resources import Resource
from tests.e2e.docker_cluster.store import Object, Store
from tests.unit.plan.pod_security import broken

SERVICES = ipaddress.IPv4Network("10.96.0.0/16")
_SCHEMA = "1.32"

Webhook = Callable[[Object], "str | None"]
"""Changes an object in place; a text refuses it."""


class Admission:
    """The rules of one cluster; a test adds to `webhooks` and `quota`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.webhooks: list[tuple[str, Webhook]] = []
        """A kind and what is done with each object of it that is made or changed."""
        self.quota: dict[str, int] = {}
        """The most Pods of a namespace."""

    def admit(
        self, resource: Resource, namespace: str, value: Object, old: Object | None
    ) -> Object:
        """The object as it is kept.

        :raises Refused: it is none, or is not let in
        """
        value = copy.deepcopy(value)
        _check_schema(resource, value)
        if resource.namespaced:
            self._check_namespace(namespace)
        with contextlib.suppress(KeyError):
            _DEFAULTS[resource.kind](value)
        for kind, webhook in self.webhooks:
            if kind == resource.kind and (why := webhook(value)):
                raise Refused(403, f'admission webhook "guard.example.com" denied the request: {why}', "Forbidden")  # fmt: skip
        if resource.kind == "Pod":
            self._check_pod(resource, namespace, value, old)
        elif resource.kind == "Service":
            self._give_address(namespace, value, old)
        elif resource.kind == "Deployment" and old is not None:
            _check_selector(value, old)
        return value

    def _check_namespace(self, namespace: str) -> None:
        if self._store.get("Namespace", "", namespace) is None:
            raise Refused(404, f'namespaces "{namespace}" not found', kind="namespaces", name=namespace)  # fmt: skip

    def _check_pod(
        self, resource: Resource, namespace: str, value: Object, old: Object | None
    ) -> None:
        name, spec = value["metadata"]["name"], value["spec"]
        if old is not None:
            if _fixed(spec) != _fixed(old["spec"]):
                raise invalid("Pod", name, "spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations`")  # fmt: skip
            return
        if len(spec["containers"]) != 1 or len(spec.get("initContainers", ())) > 1:
            raise invalid(
                "Pod", name, "spec.containers", "this cluster runs one in each Pod, after one other"
            )
        wanted = spec.get("runtimeClassName")
        if wanted and self._store.get("RuntimeClass", "", wanted) is None:
            raise forbidden("pods", name, f'pod rejected: RuntimeClass "{wanted}" not found')
        labels = self._labels(namespace)
        level = labels.get("pod-security.kubernetes.io/enforce", "privileged")
        if level == "restricted" and (faults := broken(spec)):
            raise forbidden(
                "pods", name, f'violates PodSecurity "restricted:latest": {", ".join(faults)}'
            )
        most = self.quota.get(namespace)
        used = len(self._store.all("Pod", namespace))
        if most is not None and used >= most:
            raise forbidden("pods", name, f"exceeded quota: team, requested: pods=1, used: pods={used}, limited: pods={most}")  # fmt: skip

    def _labels(self, namespace: str) -> dict[str, str]:
        value = self._store.get("Namespace", "", namespace) or {}
        return dict(value.get("metadata", {}).get("labels", {}))

    def _give_address(self, namespace: str, value: Object, old: Object | None) -> None:
        name, spec = value["metadata"]["name"], value["spec"]
        before = (old or {}).get("spec", {}).get("clusterIP", "")
        taken = {
            each["spec"].get("clusterIP"): (each["metadata"]["namespace"], each["metadata"]["name"])
            for each in self._store.all("Service")
        }
        address = spec.setdefault("clusterIP", before or _free(taken))
        if before and address != before:
            raise invalid("Service", name, "spec.clusterIPs[0]", f'Invalid value: ["{address}"]: may not change once set')  # fmt: skip
        if address != "None":
            if ipaddress.IPv4Address(address) not in SERVICES:
                raise invalid("Service", name, "spec.clusterIPs", f'Invalid value: ["{address}"]: failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. The range of valid IPs is {SERVICES}')  # fmt: skip
            if taken.get(address, (namespace, name)) != (namespace, name):
                raise invalid("Service", name, "spec.clusterIPs", f'Invalid value: ["{address}"]: failed to allocate IP {address}: provided IP is already allocated')  # fmt: skip
        spec["clusterIPs"] = [address]


def _check_selector(value: Object, old: Object) -> None:
    if value["spec"]["selector"] != old["spec"]["selector"]:
        name = value["metadata"]["name"]
        raise invalid("Deployment.apps", name, "spec.selector", "field is immutable")


def _free(taken: dict[str, tuple[str, str]]) -> str:
    return next(str(each) for each in list(SERVICES.hosts())[99:] if str(each) not in taken)


def _check_schema(resource: Resource, value: Object) -> None:
    if not value.get("metadata", {}).get("name"):
        raise invalid(resource.kind, "", "metadata.name", "Required value: name or generateName is required")  # fmt: skip
    if resource.group.endswith(".x-k8s.io"):
        return
    known = {**value, "apiVersion": resource.group_version, "kind": resource.kind}
    try:
        kubernetes_validate.validate(known, _SCHEMA, strict=True)
    except kubernetes_validate.ValidationError as error:
        field = ".".join(str(part) for part in error.path)
        message = f"strict decoding error: {field or '.'}: {error.message}"
        raise Refused(400, message) from None


def _fixed(spec: Object) -> Object:
    """What of a Pod's spec nobody can change."""
    spec = copy.deepcopy(spec)
    for key in ("activeDeadlineSeconds", "tolerations"):
        spec.pop(key, None)
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        container.pop("image", None)
    return spec


def _set_pod_defaults(value: Object) -> None:
    for key, default in _pod_defaults(value["spec"]):
        value["spec"].setdefault(key, default)
    for container in (*value["spec"]["containers"], *value["spec"].get("initContainers", ())):
        tag = container["image"].rpartition("/")[2].partition(":")[2]
        container.setdefault(
            "imagePullPolicy", "Always" if tag in ("", "latest") else "IfNotPresent"
        )
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        container.setdefault("resources", {})
    for volume in value["spec"].get("volumes", ()):
        if "configMap" in volume:
            volume["configMap"].setdefault("defaultMode", 420)


def _pod_defaults(spec: Object) -> Iterator[tuple[str, Any]]:
    yield "restartPolicy", "Always"
    yield "dnsPolicy", "ClusterFirst"
    yield "terminationGracePeriodSeconds", 30
    yield "schedulerName", "default-scheduler"
    yield "serviceAccountName", "default"
    yield "enableServiceLinks", True
    yield "securityContext", {}
    yield "nodeName", "node-1"
    for key in ("not-ready", "unreachable"):
        entry = {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}  # fmt: skip
        tolerations = spec.setdefault("tolerations", [])
        if entry not in tolerations:
            tolerations.append(entry)


def _set_service_defaults(value: Object) -> None:
    spec = value["spec"]
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


def _set_deployment_defaults(value: Object) -> None:
    spec = value["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("strategy", {"type": "RollingUpdate"})
    spec.setdefault("progressDeadlineSeconds", 600)


def _set_namespace_defaults(value: Object) -> None:
    name = value["metadata"]["name"]
    value["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name
    value.setdefault("status", {"phase": "Active"})


_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "Pod": _set_pod_defaults,
    "Service": _set_service_defaults,
    "Deployment": _set_deployment_defaults,
    "Namespace": _set_namespace_defaults,
}
