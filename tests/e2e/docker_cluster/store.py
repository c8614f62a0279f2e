"""The objects of the cluster: each change has a version, and whoever watches is told of it."""

from __future__ import annotations

import copy
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.e2e.docker_cluster.failures import Refused, not_found
from tests.e2e.docker_cluster.resources import Resource

Object = dict[str, Any]
Test = Callable[[Object], bool]


class _Event(NamedTuple):
    version: int
    kind: str
    change: str
    value: Object
    before: Object | None


class Store:
    """All objects, by kind, namespace and name. What it hands out is a copy."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._version = 1000
        self._events: list[_Event] = []
        self._forgotten = 0
        self.closed = False
        self.seconds_ahead = 0
        """Of the cluster's clock, before the real one."""

    def now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.seconds_ahead))

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        with self.changed:
            return copy.deepcopy(self._objects.get((kind, namespace, name)))

    def all(self, kind: str, namespace: str = "", test: Test = lambda _: True) -> list[Object]:
        return self.listed(kind, namespace, test)[0]

    def listed(self, kind: str, namespace: str, test: Test) -> tuple[list[Object], str]:
        """The objects, and the version at which they were so."""
        with self.changed:
            found = [
                copy.deepcopy(value)
                for (its, where, _), value in sorted(self._objects.items())
                if its == kind and (not namespace or where == namespace) and test(value)
            ]
            return found, str(self._version)

    def create(self, resource: Resource, namespace: str, value: Object) -> Object:
        """Keep a new object.

        :raises Refused: there is one of this name
        """
        value = copy.deepcopy(value)
        metadata = value["metadata"]
        with self.changed:
            key = (resource.kind, namespace, metadata["name"])
            if key in self._objects:
                raise Refused(
                    409, f'{resource.qualified} "{key[2]}" already exists', "AlreadyExists"
                )
            if namespace:
                metadata["namespace"] = namespace
            metadata["uid"] = str(uuid.uuid4())
            metadata["creationTimestamp"] = self.now()
            metadata["generation"] = 1
            value["apiVersion"], value["kind"] = resource.group_version, resource.kind
            return self._put(key, "ADDED", value)

    def replace(self, kind: str, namespace: str, value: Object) -> Object:
        """Another content for an object that is there; unchanged content makes no event.

        :raises Refused: it is gone, or was changed since the version that `value` names
        """
        value = copy.deepcopy(value)
        name = value["metadata"]["name"]
        with self.changed:
            old = self._objects.get((kind, namespace, name))
            if old is None:
                raise not_found(kind.lower() + "s", name)
            if value["metadata"].get("resourceVersion", "") not in (
                "",
                old["metadata"]["resourceVersion"],
            ):
                why = "the object has been modified; please apply your changes to the latest version and try again"
                raise Refused(
                    409, f'Operation cannot be fulfilled on {kind.lower()}s "{name}": {why}'
                )
            for field in ("uid", "creationTimestamp", "generation", "resourceVersion"):
                value["metadata"][field] = old["metadata"][field]
            if value == old:
                return copy.deepcopy(value)
            if value.get("spec") != old.get("spec"):
                value["metadata"]["generation"] += 1
            return self._put((kind, namespace, name), "MODIFIED", value)

    def update(
        self, kind: str, namespace: str, name: str, change: Callable[[Object], None]
    ) -> Object | None:
        """Let `change` alter the newest state of an object; None where it is gone."""
        with self.changed:
            value = self.get(kind, namespace, name)
            if value is None:
                return None
            change(value)
            return self.replace(kind, namespace, value)

    def remove(self, kind: str, namespace: str, name: str) -> Object | None:
        with self.changed:
            old = self._objects.pop((kind, namespace, name), None)
            if old is None:
                return None
            self._version += 1
            gone = copy.deepcopy(old)
            gone["metadata"]["resourceVersion"] = str(self._version)
            self._tell(_Event(self._version, kind, "DELETED", gone, old))
            return copy.deepcopy(gone)

    def _put(self, key: tuple[str, str, str], change: str, value: Object) -> Object:
        self._version += 1
        value["metadata"]["resourceVersion"] = str(self._version)
        before = self._objects.get(key)
        self._objects[key] = value
        self._tell(_Event(self._version, key[0], change, value, before))
        return copy.deepcopy(value)

    def _tell(self, event: _Event) -> None:
        self._events.append(event)
        self.changed.notify_all()

    def forget_history(self) -> None:
        """From now on who watches from an earlier version hears `410 Gone`."""
        with self.changed:
            self._version += 1
            self._forgotten = self._version
            self._events.clear()
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def watch(
        self, kind: str, namespace: str, test: Test, since: int, until: float
    ) -> Iterator[tuple[str, Object]]:
        """What changes after version `since`, as pairs of change and object, up to `until` (monotonic).

        :raises Refused: what changed since then is forgotten
        """
        while True:
            with self.changed:
                if since < self._forgotten:
                    raise Refused(410, f"too old resource version: {since} ({self._forgotten})")
                fresh = [e for e in self._events if e.version > since and e.kind == kind]
                left = until - time.monotonic()
                if self.closed or (not fresh and left <= 0):
                    return
                if not fresh:
                    self.changed.wait(left)
                    continue
            for event in fresh:
                since = event.version
                if namespace and event.value["metadata"].get("namespace") != namespace:
                    continue
                yield from _seen(event, test)


def _seen(event: _Event, test: Test) -> Iterator[tuple[str, Object]]:
    """The change as it is for somebody who sees only what `test` lets through."""
    was = event.before is not None and test(event.before)
    fits = event.change != "DELETED" and test(event.value)
    if fits:
        yield ("MODIFIED" if was else "ADDED"), copy.deepcopy(event.value)
    elif was:
        yield "DELETED", copy.deepcopy(event.value)


def selector(labels: str, fields: str) -> Test:
    """The test of `labelSelector` and `fieldSelector`."""
    tests = [_label_test(each.strip()) for each in re.split(r",(?![^(]*\))", labels) if each]
    tests += [_field_test(each) for each in fields.split(",") if each]
    return lambda value: all(test(value) for test in tests)


def _label_test(text: str) -> Test:
    def of(value: Object, key: str) -> str | None:
        found = value["metadata"].get("labels", {}).get(key)
        return None if found is None else str(found)

    if match := re.fullmatch(r"(\S+) (not)?in \((.*)\)", text.replace(" notin ", " notin ")):
        names = {part.strip() for part in match[3].split(",")}
        return lambda value: (of(value, match[1]) in names) is not bool(match[2])
    key, operator, wanted = _halves(text)
    if not operator:
        return lambda value: (of(value, key.lstrip("!")) is None) is key.startswith("!")
    return lambda value: (of(value, key) == wanted) is (operator == "=")


def _field_test(text: str) -> Test:
    key, operator, wanted = _halves(text)

    def test(value: Object) -> bool:
        found: Any = value
        for part in key.split("."):
            found = found.get(part, "") if isinstance(found, dict) else ""
        return (str(found) == wanted) is (operator == "=")

    return test


def _halves(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"([^=!]+)(!=|==?)(.*)", text)
    return (match[1], match[2].replace("==", "="), match[3]) if match else (text, "", "")
