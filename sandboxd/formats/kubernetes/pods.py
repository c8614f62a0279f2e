"""The Pods of a file: where each kind of object keeps its Pod template."""

from __future__ import annotations

from itertools import islice
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
_LARGEST_SHAPE = 5_000
_DEEPEST_SHAPE = 12
"""Nodes, and levels, of an object of an unknown kind in which a Pod template is looked for."""
_NO_WORKLOADS = frozenset({"CustomResourceDefinition", "ConfigMap", "Secret"})
MOST = 500
"""Objects of one file that are read, and containers: a release of a large product has about a hundred."""
MOST_SETTINGS = 50_000
"""Entries of the lists of all these containers, those that anchors bring in counted."""
_LISTS = ("containers", "initContainers", "ephemeralContainers")
# Containers of kinds that others define, beside settings of their own: Tekton's lists, and Argo's single ones.
# https://tekton.dev/docs/pipelines/tasks/, https://argo-workflows.readthedocs.io/en/latest/fields/
_OTHER_LISTS = ("steps", "sidecars")
_SINGLE = ("container", "script")
_OWN_LISTS = (
    ("env",),
    ("envFrom",),
    ("ports",),
    ("volumeMounts",),
    ("volumeDevices",),
    ("securityContext", "capabilities", "add"),
    ("securityContext", "capabilities", "drop"),
)
_LISTS_OF_POD = (("volumes",), ("securityContext", "sysctls"))


class PodSpec(NamedTuple):
    """The description of a Pod within the object that makes it."""

    kind: str
    name: str
    object: Node
    spec: Node
    for_agents: bool
    has_network_policy: bool
    annotations: Node | None
    """The annotations of the Pod itself, not of the object (a Deployment, a Job) around it; None without."""
    containers: tuple[Node, ...]
    """The objects of its containers, those that run first and those for debugging with them."""
    around: tuple[Node, ...] = ()
    """The objects around a description that another kind has, which may hold its volumes."""


class Pods(NamedTuple):
    """The Pods of a file."""

    specs: tuple[PodSpec, ...]
    left_out: str
    """Parts that are there and are not read, in words; '' for none."""


def read(document: Document) -> Pods:
    """Every Pod that an object of the file describes, in the order of the file."""
    nodes = list(islice(objects(document), MOST + 1))
    has_policy = any(_text(node, "kind") == "NetworkPolicy" for node in nodes)
    budget = _Budget()
    specs = []
    for node in nodes[:MOST]:
        for_agents = _text(node, "apiVersion").startswith(_AGENT_GROUPS)
        own_policy = for_agents and yaml.get(node, "spec", "networkPolicy") is not None
        for spec, *around in _templates(node, for_agents):
            template = around[-1] if around else node
            specs.append(
                PodSpec(
                    _text(node, "kind"),
                    _text(node, "metadata", "name") or _text(node, "metadata", "generateName"),
                    node,
                    spec,
                    for_agents,
                    has_policy or own_policy,
                    yaml.get(template, "metadata", "annotations"),
                    tuple(budget.containers(spec)),
                    tuple(around) if _is_other(spec) else (),
                )
            )
    left_out = f"has more than {MOST} objects" if len(nodes) > MOST else budget.left_out
    return Pods(tuple(specs), left_out)


def _templates(node: Node, for_agents: bool) -> Iterator[tuple[Node, ...]]:
    """The descriptions of Pods in an object, each with the objects around it, the outermost first.

    Of a kind that others define (Argo's Rollout, a Knative Service) they are known by their shape.
    """
    kind = _text(node, "kind")
    path = (_AGENT_PATHS if for_agents else _PATHS).get(kind)
    if path is not None:
        spec = yaml.get(node, *path)
        if spec is not None and spec.kind == "object":
            yield spec, yaml.get(node, *path[:-1]) or node
    elif not for_agents and kind not in _NO_WORKLOADS:
        yield from _by_shape(node)


def _by_shape(node: Node) -> Iterator[tuple[Node, ...]]:
    """Objects that describe a Pod by containers with images, each with the objects around it."""
    waiting: list[tuple[Node, tuple[Node, ...]]] = [(node, ())]
    remaining = _LARGEST_SHAPE
    while waiting and remaining > 0:
        current, around = waiting.pop()
        remaining -= 1
        if _describes_pod(current):
            yield current, *around
        elif len(around) < _DEEPEST_SHAPE:
            below = [*current.items, *(member.value for member in current.members)]
            waiting += [(yaml.target(each), (*around, current)) for each in reversed(below)]


def _describes_pod(node: Node) -> bool:
    return node.kind == "object" and (
        _has_images(yaml.get(node, _LISTS[0])) or any(True for _ in _others(node))
    )


def _is_other(spec: Node) -> bool:
    """Whether a description is that of a kind which others define, and has no list of containers."""
    return not _has_images(yaml.get(spec, _LISTS[0]))


def _has_images(table: Node | None) -> bool:
    if table is None or table.kind != "array" or not table.items:
        return False
    first = yaml.target(table.items[0])
    return first.kind == "object" and bool(_text(first, "image"))


def _others(spec: Node) -> Iterator[Node]:
    """The containers of a description of another kind."""
    for key in _SINGLE:
        node = yaml.get(spec, key)
        if node is not None and node.kind == "object" and _text(node, "image"):
            yield node
    for key in _OTHER_LISTS:
        table = yaml.get(spec, key)
        if table is not None and _has_images(table):
            yield from (yaml.target(item) for item in table.items)


class _Budget:
    """A limit on what is read of one file, so that a check stays fast however much anchors multiply."""

    def __init__(self) -> None:
        self._containers, self._settings = MOST, MOST_SETTINGS
        self.left_out = ""

    def containers(self, spec: Node) -> Iterator[Node]:
        """The containers of a Pod, until the limit is reached."""
        of_pod = sum(_size(spec, path) for path in _LISTS_OF_POD)
        for item in _listed(spec):
            if item.kind != "object":
                continue
            self._containers -= 1
            self._settings -= of_pod + sum(_size(item, path) for path in _OWN_LISTS)
            if self._containers < 0:
                self.left_out = f"has more than {MOST} containers"
                return
            if self._settings < 0:
                self.left_out = f"has more than {MOST_SETTINGS:,} settings"
                return
            yield item


def _listed(spec: Node) -> Iterator[Node]:
    if _is_other(spec):
        yield from _others(spec)
    for key in _LISTS:
        table = yaml.get(spec, key)
        yield from (yaml.target(item) for item in table.items) if table is not None else ()


def _size(node: Node, path: tuple[str, ...]) -> int:
    table = yaml.get(node, *path)
    return len(table.items) if table is not None else 0


def objects(document: Document) -> Iterator[Node]:
    """The objects of all documents of the stream, those of a `List` one by one."""
    for root in (document.tree.root, *document.tree.others):
        if root is None:
            continue
        items = yaml.get(root, "items") if _text(root, "kind").endswith("List") else None
        for node in [root] if items is None else [yaml.target(item) for item in items.items]:
            if node.kind == "object":
                yield node


def _text(node: Node, *path: str) -> str:
    value = yaml.get(node, *path)
    return (value.text() or "") if value is not None else ""
