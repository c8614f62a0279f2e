"""What makes objects of other objects: Pods of a Deployment and of a Sandbox, and an end for what has no owner."""

from __future__ import annotations

import copy
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from tests.e2e.docker_cluster.admission import Admission
from tests.e2e.docker_cluster.failures import Refused
from tests.e2e.docker_cluster.resources import Catalogue
from tests.e2e.docker_cluster.store import Object, Store

_TEMPLATE = "pod-template-hash"


class Controllers:
    """Called after each change; what is already as it should be stays untouched."""

    def __init__(self, store: Store, admission: Admission, kinds: Catalogue) -> None:
        self._store, self._admission, self._kinds = store, admission, kinds

    def look(self) -> None:
        for deployment in self._store.all("Deployment"):
            self._deployment(deployment)
        for sandbox in self._store.all("Sandbox"):
            self._sandbox(sandbox)
        for pod in self._store.all("Pod"):
            self._orphan(pod)

    def _deployment(self, deployment: Object) -> None:
        """One Pod of the template that holds now; what is of another is ended first."""
        template = deployment["spec"]["template"]
        digest = _digest(template)
        pods = self._owned(deployment)
        old = [p for p in pods if p["metadata"]["labels"].get(_TEMPLATE) != digest]
        fresh = [p for p in pods if p not in old]
        for pod in old:
            delete_pod(self._store, pod)
        why = ""
        if deployment["spec"]["replicas"] == 0:
            for pod in fresh:
                delete_pod(self._store, pod)
        elif not pods:
            name = f"{deployment['metadata']['name']}-{digest}-{secrets.token_hex(3)[:5]}"
            why = self._make(deployment, name, template, {_TEMPLATE: digest})
        ready = sum(_is_ready(pod) for pod in fresh)
        self._say(deployment, self._progress(deployment, len(fresh), ready, why))

    def _progress(self, deployment: Object, made: int, ready: int, why: str) -> Object:
        available = {"type": "Available", "status": "True" if ready else "False"}
        failed = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why}]  # fmt: skip
        return {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": made,
            "updatedReplicas": made,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": deployment["spec"]["replicas"] - ready,
            "conditions": [available, *(failed if why else ())],
        }

    def _sandbox(self, sandbox: Object) -> None:
        """As the controller of agent-sandbox: a Pod of the same name while it is to run."""
        template = sandbox["spec"]["podTemplate"]
        pods = self._owned(sandbox)
        is_over = sandbox["spec"].get("shutdownTime", "9999") <= self._store.now()
        runs = sandbox["spec"].get("operatingMode", "Running") == "Running" and not is_over
        why = ""
        if runs and not pods:
            why = self._make(sandbox, sandbox["metadata"]["name"], template, {})
        for pod in () if runs else pods:
            delete_pod(self._store, pod)
        ready = runs and any(_is_ready(pod) for pod in pods)
        reason = "ReconcilerError" if why else "DependenciesNotReady"
        if ready:
            reason = "DependenciesReady"
        elif is_over:
            reason, why = "SandboxExpired", "Sandbox has expired"
        condition = {"type": "Ready", "status": "True" if ready else "False", "reason": reason, "message": why}  # fmt: skip
        self._say(sandbox, {"conditions": [condition], "replicas": len(pods)})

    def _make(self, owner: Object, name: str, template: Object, labels: dict[str, str]) -> str:
        """Make a Pod; returns why there is none."""
        metadata = copy.deepcopy(template.get("metadata", {}))
        metadata["name"] = name
        metadata["labels"] = {**metadata.get("labels", {}), **labels}
        metadata["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
        value = {"metadata": metadata, "spec": copy.deepcopy(template["spec"])}
        resource, namespace = self._kinds.of_kind("Pod"), owner["metadata"]["namespace"]
        try:
            admitted = self._admission.admit(resource, namespace, value, None)
            self._store.create(resource, namespace, admitted)
        except Refused as refused:
            return str(refused)
        return ""

    def _owned(self, owner: Object) -> list[Object]:
        return self._store.all("Pod", owner["metadata"]["namespace"], _owned_by(owner))

    def _say(self, owner: Object, status: Object) -> None:
        def change(value: Object) -> None:
            value["status"] = status

        metadata = owner["metadata"]
        self._store.update(owner["kind"], metadata["namespace"], metadata["name"], change)

    def _orphan(self, pod: Object) -> None:
        for owner in pod["metadata"].get("ownerReferences", ()):
            there = self._store.get(owner["kind"], pod["metadata"]["namespace"], owner["name"])
            if there is None or there["metadata"]["uid"] != owner["uid"]:
                delete_pod(self._store, pod)


def delete_pod(store: Store, pod: Object, grace: int | None = None) -> Object | None:
    """Ask the node to end a Pod; the object goes once it has.

    :param grace: seconds for it, in place of its own
    """

    def change(value: Object) -> None:
        seconds = value["spec"]["terminationGracePeriodSeconds"] if grace is None else grace
        value["metadata"].setdefault("deletionTimestamp", store.now())
        value["metadata"].setdefault("deletionGracePeriodSeconds", seconds)

    return store.update("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], change)


def _owned_by(owner: Object) -> Callable[[Object], bool]:
    uid = owner["metadata"]["uid"]
    return lambda pod: any(
        each["uid"] == uid for each in pod["metadata"].get("ownerReferences", ())
    )


def _is_ready(pod: Object) -> bool:
    found: list[dict[str, Any]] = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


def _digest(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
