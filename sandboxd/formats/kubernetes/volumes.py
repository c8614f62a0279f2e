"""Volumes of a Pod as the mounts of its containers."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.formats.kubernetes.values import items, locate, word
from sandboxd.model.container import Mount
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.formats.kubernetes.pods import PodSpec
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

_PROPAGATION = {"Bidirectional": "rshared", "HostToContainer": "rslave"}


class HostPath(NamedTuple):
    """A volume that is a path of the node: the node of its path, and the volume's entry."""

    path: str
    node: Node
    entry: Node


def mounts(container: Node, spec: PodSpec, source: SourceText) -> Iterator[Value[Mount]]:
    """The mounts of one container: paths of the node are bind mounts, all else is a volume."""
    by_name = _host_volumes(spec)
    for item in items(container, "volumeMounts"):
        name, target = word(item, "name"), word(item, "mountPath")
        name_node = yaml.get(item, "name")
        if not name or not target or name_node is None:
            continue
        read_only = yaml.get(item, "readOnly")
        is_read_only = read_only is not None and read_only.value is True
        options = _PROPAGATION.get(word(item, "mountPropagation"))
        rest = (f"bind-propagation={options}",) if options else ()
        volume = by_name.get(name)
        if volume is None:
            mount = Mount("volume", name, target, is_read_only, rest)
            yield locate(mount, name_node, "volumeMounts", source, entry=item)
            continue
        below = word(item, "subPath")
        path = posixpath.join(volume.path, below) if below else volume.path
        mount = Mount("bind", path, target, is_read_only, rest)
        yield locate(mount, volume.node, "hostPath", source, entry=item, shown=path)


def host_paths(spec: PodSpec, source: SourceText) -> Iterator[Value[str]]:
    """The paths of the node that the Pod has as volumes."""
    for volume in _host_volumes(spec).values():
        yield locate(volume.path, volume.node, "hostPath", source, entry=volume.entry)


def _host_volumes(spec: PodSpec) -> dict[str, HostPath]:
    volumes: dict[str, HostPath] = {}
    for holder in (*spec.around, spec.spec):
        for item in items(holder, "volumes"):
            node = yaml.get(item, "hostPath", "path")
            if node is not None and node.text():
                volumes[word(item, "name")] = HostPath(node.text() or "", node, item)
    return volumes
