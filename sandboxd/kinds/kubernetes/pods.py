"""The Pods of a file: where each kind of object keeps the template of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

_TEMPLATE = ("spec", "template", "spec")
# https://kubernetes.io/docs/concepts/workloads/
_PATHS = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
}
# https://agent-sandbox.sigs.k8s.io/docs/: the groups of the Kubernetes SIG's agent-sandbox.
_AGENT_GROUPS = ("agents.x-k8s.io/", "extensions.agents.x-k8s.io/")
_AGENT_PATHS = {
    "Sandbox": ("spec", "podTemplate", "spec"),
    "SandboxTemplate": ("spec", "podTemplate", "spec"),
}
_MOST = 500
"""Objects of one file that are read: a release of a large product has about a hundred."""
_LISTS = ("containers", "initContainers", "ephemeralContainers")


class PodSpec(NamedTuple):
    """The description of a Pod within the object that makes it."""

    kind: str
    name: str
    object: Node
    spec: Node
    for_agents: bool
    has_network_policy: bool
    annotations: Node | None
    """Of the Pod itself, not of the object around it."""

    def containers(self) -> Iterator[Node]:
        """The objects of its containers, those that run first and those for debugging with them."""
        for key in _LISTS:
            table = yaml.get(self.spec, key)
            for item in table.items[:_MOST] if table is not None else ():
                item = yaml.target(item)
                if item.kind == "object":
                    yield item


def pods(document: Document) -> Iterator[PodSpec]:
    """Every Pod that an object of the file describes, in the order of the file."""
    objects = list(_objects(document))
    has_policy = any(_text(node, "kind") == "NetworkPolicy" for node in objects)
    for node in objects:
        kind = _text(node, "kind")
        for_agents = _text(node, "apiVersion").startswith(_AGENT_GROUPS)
        path = (_AGENT_PATHS if for_agents else _PATHS).get(kind)
        spec = yaml.get(node, *path) if path is not None else None
        if path is None or spec is None or spec.kind != "object":
            continue
        template = yaml.get(node, *path[:-1]) or node
        own_policy = for_agents and yaml.get(node, "spec", "networkPolicy") is not None
        yield PodSpec(
            kind,
            _text(node, "metadata", "name") or _text(node, "metadata", "generateName"),
            node,
            spec,
            for_agents,
            has_policy or own_policy,
            yaml.get(template, "metadata", "annotations"),
        )


def _objects(document: Document) -> Iterator[Node]:
    """The objects of all documents of the stream, those of a `List` one by one."""
    remaining = _MOST
    for root in (document.tree.root, *document.tree.others):
        if root is None:
            continue
        items = yaml.get(root, "items") if _text(root, "kind").endswith("List") else None
        for node in [root] if items is None else [yaml.target(item) for item in items.items]:
            remaining -= 1
            if remaining < 0:
                return
            if node.kind == "object":
                yield node


def _text(node: Node, *path: str) -> str:
    value = yaml.get(node, *path)
    return (value.text() or "") if value is not None else ""
