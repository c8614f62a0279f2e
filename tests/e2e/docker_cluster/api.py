"""What a request does to the objects, without the wire: verbs, rights, and the faults that a test orders."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.e2e.docker_cluster.admission import Admission
from tests.e2e.docker_cluster.controllers import delete_pod
from tests.e2e.docker_cluster.failures import Refused, forbidden, not_found
from tests.e2e.docker_cluster.patches import Owners, merge, merge_plain
from tests.e2e.docker_cluster.resources import Catalogue, Place, Resource
from tests.e2e.docker_cluster.store import Object, Store, selector


@dataclass
class Fault:
    """An answer in place of the real one; the first that fits counts."""

    code: int
    """The HTTP status; 0 for a connection that is cut, -1 for no answer until the cluster is closed."""
    verb: str = "*"
    resource: str = "*"
    """As in a Role: `pods`, `pods/exec`."""
    message: str = "ordered by the test"
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    times: int = -1
    """How often; -1 for always."""

    def fits(self, verb: str, resource: str) -> bool:
        return self.times != 0 and self.verb in ("*", verb) and self.resource in ("*", resource)


class Api:
    """The verbs on the objects of one cluster."""

    def __init__(self, store: Store, admission: Admission, kinds: Catalogue) -> None:
        self.store, self.kinds = store, kinds
        self._admission = admission
        self._owners: dict[str, Owners] = {}
        self.faults: list[Fault] = []
        self.refused_rights: set[tuple[str, str]] = set()
        """Pairs of verb and resource, as in a Role, that no user has."""
        self.user = "dev"
        """The name of whoever asks."""
        self.requests: list[tuple[str, str]] = []
        """Verb and resource of each request, in order."""

    def check(self, verb: str, place: Place) -> Fault | None:
        """Note a request; returns the fault that it gets in place of an answer.

        :raises Refused: nobody has the right
        """
        resource = place.resource.plural + (f"/{place.below}" if place.below else "")
        self.requests.append((verb, resource))
        for fault in self.faults:
            if fault.fits(verb, resource):
                fault.times -= 1
                return fault
        if (verb, resource) in self.refused_rights:
            where = f' in the namespace "{place.namespace}"' if place.namespace else " at the cluster scope"  # fmt: skip
            user, group = self.user, place.resource.group
            raise forbidden(place.resource.qualified, place.name, f'User "{user}" cannot {verb} resource "{resource}" in API group "{group}"{where}')  # fmt: skip
        return None

    def read(self, place: Place) -> Object:
        value = self.store.get(place.resource.kind, place.namespace, place.name)
        if value is None:
            raise not_found(place.resource.qualified, place.name)
        return value

    def list(self, place: Place, query: dict[str, str]) -> Object:
        test = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        found, version = self.store.listed(place.resource.kind, place.namespace, test)
        return {
            "kind": f"{place.resource.kind}List",
            "apiVersion": place.resource.group_version,
            "metadata": {"resourceVersion": version},
            "items": found,
        }

    def create(self, place: Place, value: Object, dry: bool) -> Object:
        resource = place.resource
        if not resource.kept:
            return self._answer(resource, value)
        metadata = value.setdefault("metadata", {})
        if "name" not in metadata and "generateName" in metadata:
            metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
        value.pop("status", None)
        admitted = self._admission.admit(resource, place.namespace, value, None)
        if dry:
            return admitted
        return self.store.create(resource, place.namespace, admitted)

    def replace(self, place: Place, value: Object, dry: bool = False) -> Object:
        old = self.read(place)
        if place.below == "status":
            new = {**old, "status": value.get("status", {})}
        else:
            new = self._admission.admit(place.resource, place.namespace, value, old)
            if "status" in old:
                new["status"] = old["status"]
        return new if dry else self.store.replace(place.resource.kind, place.namespace, new)

    def patch(
        self, place: Place, kind: str, body: bytes, query: dict[str, str]
    ) -> tuple[int, Object]:
        """The status of HTTP, and the object after it."""
        # A real server patches anew what changed in between: who names no version meets no conflict.
        with self.store.changed:
            return self._patched(place, kind, body, query)

    def _patched(
        self, place: Place, kind: str, body: bytes, query: dict[str, str]
    ) -> tuple[int, Object]:
        wanted, dry = yaml.safe_load(body), "dryRun" in query
        old = self.store.get(place.resource.kind, place.namespace, place.name)
        if kind.startswith("application/apply-patch"):
            return self._apply(place, wanted, old, query, dry)
        if old is None:
            raise not_found(place.resource.qualified, place.name)
        merges: dict[str, Callable[[Any, Any], Any]] = {
            "application/strategic-merge-patch+json": merge,
            "application/merge-patch+json": merge_plain,
        }
        if kind not in merges:
            raise Refused(415, f"the body of the request was in an unknown format: {kind}")
        return 200, self.replace(place, merges[kind](old, wanted), dry)

    def _apply(
        self, place: Place, wanted: Object, old: Object | None, query: dict[str, str], dry: bool
    ) -> tuple[int, Object]:
        manager = query.get("fieldManager")
        if not manager:
            raise Refused(400, "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch")  # fmt: skip
        key = old["metadata"]["uid"] if old is not None else ""
        owners = copy.deepcopy(self._owners.get(key, Owners()))
        base: Object = copy.deepcopy(old) if old is not None else {"metadata": {}}
        base["metadata"]["name"] = place.name
        value = owners.apply(base, wanted, manager, query.get("force") == "true")
        made = self.create(place, value, dry) if old is None else self.replace(place, value, dry)
        if not dry:
            self._owners[made["metadata"]["uid"]] = owners
        return (201 if old is None else 200), made

    def delete(self, place: Place, options: Object) -> Object:
        value = self.read(place)
        wanted = options.get("preconditions", {}).get("uid", value["metadata"]["uid"])
        if wanted != value["metadata"]["uid"]:
            raise Refused(409, f"Precondition failed: UID in precondition: {wanted}")
        if place.resource.kind == "Pod":
            return delete_pod(self.store, value, options.get("gracePeriodSeconds")) or value
        if place.resource.kind == "Namespace":
            self._empty(place.name)
        return self.store.remove(place.resource.kind, place.namespace, place.name) or value

    def delete_all(self, place: Place, query: dict[str, str], options: Object) -> Object:
        found = self.list(place, query)
        for value in found["items"]:
            where, name = value["metadata"].get("namespace", ""), value["metadata"]["name"]
            self.delete(Place(place.resource, where, name, ""), options)
        return found

    def _empty(self, namespace: str) -> None:
        for kind in ("Deployment", "Service", "ConfigMap", "NetworkPolicy", "Pod"):
            place = Place(self.kinds.of_kind(kind), namespace, "", "")
            self.delete_all(place, {}, {"gracePeriodSeconds": 0})

    def _answer(self, resource: Resource, value: Object) -> Object:
        if resource.kind == "SelfSubjectAccessReview":
            asked = value["spec"].get("resourceAttributes", {})
            name = asked.get("resource", "") + (f"/{asked['subresource']}" if asked.get("subresource") else "")  # fmt: skip
            value["status"] = {"allowed": (asked.get("verb"), name) not in self.refused_rights}
        elif resource.kind == "SelfSubjectReview":
            value["status"] = {
                "userInfo": {"username": self.user, "groups": ["system:authenticated"]}
            }
        else:
            every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            value["status"] = {
                "resourceRules": [every],
                "nonResourceRules": [],
                "incomplete": False,
            }
        return value
