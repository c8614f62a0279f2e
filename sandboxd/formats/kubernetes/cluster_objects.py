"""Objects of a cluster that are no Pods: volumes of the node, who may do what, and which Pods are admitted."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from sandboxd.formats import _docker_flags as flags
from sandboxd.formats.kubernetes.pods import MOST, objects
from sandboxd.formats.kubernetes.templates import HOLE, with_actions
from sandboxd.formats.kubernetes.values import (
    items,
    locate,
    place,
    retyped,
    switch,
    text,
    word,
)
from sandboxd.model.cluster_role import ClusterRole, Permission
from sandboxd.model.container import Container, Mount
from sandboxd.model.pod import Pod
from sandboxd.model.pod_security_policy import HostPath, PodSecurityPolicy
from sandboxd.model.role_binding import Grantee, RoleBinding
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.document import Document
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

_BINDINGS = ("ClusterRoleBinding", "RoleBinding")


def volumes(document: Document) -> Iterator[tuple[Container, Pod]]:
    """Yield each PersistentVolume at a path of the node, as a container that mounts it, with an otherwise empty Pod."""
    source = document.source
    for node in islice(objects(document), MOST):
        path = yaml.get(node, "spec", "hostPath", "path") or yaml.get(node, "spec", "local", "path")
        if word(node, "kind") != "PersistentVolume" or path is None or not path.text():
            continue
        at = place(yaml.get(node, "metadata", "name") or node, source)
        name = word(node, "metadata", "name")
        mount = Mount("bind", path.text() or "", "the claim's folder", read_only=False)
        # Without nodes: a volume without its source is no volume, so there is nothing to remove.
        value = locate(mount, path, "hostPath", source)._replace(nodes=())
        yield (
            Container(
                f"PersistentVolume/{name}@{node.span.start}",
                at,
                mounts=(value,),
                partial=True,
                on_cluster=True,
            ),
            Pod(
                "PersistentVolume",
                name,
                at,
                (),
                is_whole=False,
                host_paths=(locate(path.text(), path, "hostPath", source),),
            ),
        )


def bindings(document: Document) -> Iterator[RoleBinding]:
    """Yield each RoleBinding and ClusterRoleBinding. In a template, a name to be filled in is the action as written."""
    source = document.source
    for node in islice(objects(document), MOST):
        kind, role = word(node, "kind"), text(yaml.get(node, "roleRef"), "name", source)
        if kind in _BINDINGS and role is not None:
            yield RoleBinding(
                kind,
                _clear_word(node, "metadata", "name"),
                _clear_word(node, "metadata", "namespace"),
                role,
                word(node, "roleRef", "kind") == "ClusterRole",
                tuple(_grantees(node, source)),
            )


def _grantees(node: Node, source: SourceText) -> Iterator[Grantee]:
    for item in islice(items(node, "subjects"), MOST):
        name = text(item, "name", source)
        if name is not None:
            yield Grantee(
                word(item, "kind"), with_actions(name, source), _clear_word(item, "namespace")
            )


def _clear_word(node: Node, *path: str) -> str:
    """The string below `node` at `path`, '' where there is none or the values of a template decide it."""
    name = word(node, *path)
    return "" if HOLE in name else name


def cluster_roles(document: Document) -> Iterator[ClusterRole]:
    """Yield each ClusterRole, with those of its rules that name verbs."""
    source = document.source
    for node in islice(objects(document), MOST):
        if word(node, "kind") == "ClusterRole":
            permissions = tuple(_permissions(node, source))
            yield ClusterRole(_clear_word(node, "metadata", "name"), permissions)


def _permissions(node: Node, source: SourceText) -> Iterator[Value[Permission]]:
    for item in islice(items(node, "rules"), MOST):
        verbs = yaml.get(item, "verbs")
        if verbs is not None:
            permission = Permission(
                _words(item, "apiGroups"),
                _words(item, "resources"),
                _words(item, "verbs"),
                is_for_names=yaml.get(item, "resourceNames") is not None,
            )
            yield locate(permission, verbs, "verbs", source)


def _words(node: Node, key: str) -> frozenset[str]:
    return frozenset(each.text() or "" for each in items(node, key))


def pod_security_policies(document: Document, is_whole: bool) -> Iterator[PodSecurityPolicy]:
    """Yield each PodSecurityPolicy, and OpenShift's SecurityContextConstraints as one.

    :param is_whole: False for a template, whose values may bring what is not there
    """
    source = document.source
    for node in islice(objects(document), MOST):
        kind = word(node, "kind")
        if kind == "SecurityContextConstraints":
            yield _constraints(node, source, is_whole)
        elif kind == "PodSecurityPolicy":
            spec = yaml.get(node, "spec")
            yield PodSecurityPolicy(
                _clear_word(node, "metadata", "name"),
                switch(spec, "privileged", source),
                tuple(_capabilities(spec, "allowedCapabilities", source)),
                tuple(_capabilities(spec, "defaultAddCapabilities", source)),
                tuple(_texts(spec, "volumes", source)),
                tuple(_host_paths(spec, source, is_whole)),
                is_whole,
            )


def _constraints(node: Node, source: SourceText, is_whole: bool) -> PodSecurityPolicy:
    """SecurityContextConstraints of OpenShift, which admit Pods as a PodSecurityPolicy does."""
    return PodSecurityPolicy(
        _clear_word(node, "metadata", "name"),
        switch(node, "allowPrivilegedContainer", source),
        tuple(_capabilities(node, "allowedCapabilities", source)),
        tuple(_capabilities(node, "defaultAddCapabilities", source)),
        (),
        (),
        is_whole,
        "SecurityContextConstraints",
        switch(node, "allowHostDirVolumePlugin", source),
    )


def _capabilities(node: Node | None, key: str, source: SourceText) -> Iterator[Value[str]]:
    for value in _texts(node, key, source):
        yield retyped(value, flags.capability(value.value))


def _texts(node: Node | None, key: str, source: SourceText) -> Iterator[Value[str]]:
    for item in islice(items(node, key), MOST):
        if item.text():
            yield locate(item.text(), item, key, source)


def _host_paths(node: Node | None, source: SourceText, is_whole: bool) -> Iterator[Value[HostPath]]:
    for item in islice(items(node, "allowedHostPaths"), MOST):
        prefix, read_only = text(item, "pathPrefix", source), switch(item, "readOnly", source)
        if prefix is not None and (is_whole or read_only is not None):
            is_read_only = read_only is not None and read_only.value
            yield retyped(prefix, HostPath(prefix.value, is_read_only))
