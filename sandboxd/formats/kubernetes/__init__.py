"""Kubernetes manifests: every container of a Pod is a container, and the Pod is a subject of its own.

A manifest has any name: it is known by its content. A name or a folder that is usual for one saves a
look into other files. A template of Helm is no YAML before Helm has filled
it in: what stands in it in clear is judged, or what the chart's own values decide, and the rest is named as not
checked, as is what a kustomization changes.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/, https://agent-sandbox.sigs.k8s.io/.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.formats.kubernetes import kustomization
from sandboxd.model.container import Container, Unseen
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.formats.kubernetes.chart_values import Defaults
    from sandboxd.model.cluster_role import ClusterRole
    from sandboxd.model.pod import Pod, PodContainer
    from sandboxd.model.pod_security_policy import PodSecurityPolicy
    from sandboxd.model.role_binding import RoleBinding
    from sandboxd.syntax.node import Tree
    from sandboxd.text import Edit, SourceText

NAME = "kubernetes"
NAMES = ("*.yml", "*.yaml", "*.json", "kustomization")
LANGUAGES = ("kubernetes", "yaml.kubernetes", "helm")
COMMENT = "#"
WATCHED = ("**/{k8s,kubernetes,manifests,deploy,kustomize}/**/*.{yml,yaml}",)
# Whole releases are written as one file. What is read of it has a bound of its own: `yaml.MAX_NODES`.
LARGEST = 4 * 1024 * 1024
_LARGE = 256 * 1024
"""Characters from which on definitions of kinds are not parsed: most of a release, and no Pod in it."""

_FOLDERS = frozenset(
    {
        *("argocd", "base", "bases", "charts", "cluster", "clusters", "components", "deploy"),
        *("deployment", "deployments", "gitops", "helm", "k8s", "kube", "kubernetes", "kustomize"),
        *("manifest", "manifests", "openshift", "overlay", "overlays", "templates"),
    }
)
# JSON of any kind is in the other folders.
_FOLDERS_OF_JSON = frozenset(
    ("deploy", "k8s", "kube", "kubernetes", "manifest", "manifests", "openshift")
)
_WORDS = re.compile(
    r"(?:^|[._-])(?:k8s|kubernetes|pods?|deployments?|deploy|statefulsets?|daemonsets?|replicasets?"
    r"|controllers?|jobs?|cronjobs?|sandbox(?:es|template)?)[._-]"
)
_ENDINGS = (".yml", ".yaml", ".json")
_VERSION = re.compile(
    r"^([\"']?)apiVersion\1:[ \t]*[\"']?(?:[a-z0-9][\w./-]*|\{\{-? )", re.MULTILINE
)
_KIND = re.compile(r"^([\"']?)kind\1:[ \t]*[\"']?[A-Z]\w+", re.MULTILINE)
_DOCUMENT = re.compile(r"^---", re.MULTILINE)
_DEFINITION = re.compile(r"^kind:[ \t]*[\"']?CustomResourceDefinition\b", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]+(?:- )?apiVersion:", re.MULTILINE)
_JSON_VERSION = re.compile(r"\"apiVersion\"\s*:\s*\"[a-z0-9][\w./-]*\"")
_JSON_KIND = re.compile(r"\"kind\"\s*:\s*\"[A-Z]\w+\"")
# The content is only looked at where a manifest shows what it is.
_LOOKED_AT = 20_000
# Where a value or a line begins: within a text it is a template of some other program.
_HELM = re.compile(r"^[ \t]*(?:- )?(?:[\w./\"-]+:[ \t]+)?\{\{[^{}\n]*\}\}", re.MULTILINE)


def matches(path: str) -> bool:
    """Whether a file is in a usual folder of manifests, or has a usual name of one."""
    *folders, name = path.lower().split("/")
    if name in kustomization.NAMES:
        return True
    usual = _FOLDERS_OF_JSON if name.endswith(".json") else _FOLDERS
    is_named = name.endswith(_ENDINGS) and _WORDS.search(name) is not None
    return not usual.isdisjoint(folders[-4:]) or is_named


def fits(path: str, text: str) -> bool:
    """Whether the content is that of objects of Kubernetes."""
    if kustomization.is_one(path):
        return True
    start = text[:_LOOKED_AT]
    if _is_json(path):
        is_object = start.lstrip().startswith("{")
        return is_object and bool(_JSON_VERSION.search(start) and _JSON_KIND.search(start))
    return _VERSION.search(start) is not None and _KIND.search(start) is not None


recognises = fits


def _is_json(path: str) -> bool:
    return path.lower().endswith(".json")


def parse(source: SourceText) -> Document:
    # Late: a check of other files does not need it.
    from sandboxd.syntax import jsonc, yaml

    text = source.text
    if _is_json(source.path):
        return Document(NAME, source, jsonc.parse(text))
    if _has_actions(text):
        return Document(NAME, source, _clear_tree(text), "yaml")
    if len(text) > _LARGE:
        text = _without_definitions(text)
    return Document(NAME, source, yaml.parse(text), "yaml")


def _has_actions(text: str) -> bool:
    """Whether a value or a line of the text is an action of a template."""
    return "{{" in text and _HELM.search(text) is not None


def _without_definitions(text: str) -> str:
    """A file with blanks in place of its definitions of kinds."""
    starts = [0, *(match.start() for match in _DOCUMENT.finditer(text)), len(text)]
    return "".join(
        "\n".join(" " * len(line) for line in part.split("\n"))
        if "CustomResourceDefinition" in part and _DEFINITION.search(part)
        else part
        for part in (text[start:end] for start, end in pairwise(starts))
    )


def _clear_tree(text: str, defaults: Defaults | None = None) -> Tree:
    """The tree of the parts of a template that no value can change, or that the defaults of its chart decide.

    It is empty if they alone are no valid YAML.
    """
    from sandboxd.formats.kubernetes import templates
    from sandboxd.syntax import yaml

    tree = yaml.parse(templates.clear(text, defaults) or "")
    return yaml.parse("") if tree.problems else tree


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """The containers of every Pod that the file describes."""
    from sandboxd.formats.kubernetes.cluster_objects import volumes
    from sandboxd.formats.kubernetes.container import containers_of
    from sandboxd.formats.kubernetes.pods import read

    if _is_template(document):
        return _of_template(document, variables)
    if kustomization.is_one(document.source.path) and document.tree.root is not None:
        unseen_parts = kustomization.unseen(document.tree.root)
        whole = Container(document.source.path, None, unseen=unseen_parts, partial=True)
        return (whole._replace(on_cluster=True),) if unseen_parts else ()
    pods = read(document)
    described = [each for pod in pods.specs for each in containers_of(pod, document.source)]
    described += [container for container, _ in volumes(document)]
    if pods.left_out:
        hint = "split it: `sandboxd check` reads each file for itself"
        unseen = Unseen("arguments", f"{pods.left_out}, the rest is not read", hint)
        described.append(
            Container(document.source.path, None, unseen=(unseen,), partial=True, on_cluster=True)
        )
    return tuple(described)


def _is_template(document: Document) -> bool:
    return document.language == "yaml" and _has_actions(document.source.text)


def _of_template(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """The containers of a template, with the settings that no value can change or that the defaults of its chart
    decide; the first says that the rest is not judged."""
    from sandboxd.formats.kubernetes import chart_values
    from sandboxd.formats.kubernetes.cluster_objects import volumes
    from sandboxd.formats.kubernetes.container import containers_of
    from sandboxd.formats.kubernetes.pods import read
    from sandboxd.formats.kubernetes.templates import without_holes

    reason = "is a template, of Helm most likely, and no YAML yet"
    if document.tree.root is not None:
        reason = "is a template, of Helm most likely: what its values decide is not judged"
    defaults = chart_values.of_chart(document.source.path, variables)
    if defaults is not None:
        tree = _clear_tree(document.source.text, defaults)
        if tree.root is not None:
            reason = "is a template of Helm: what other values than those of `values.yaml`, helpers and functions decide is not judged"
            document = document._replace(tree=tree)
    hint = "check what Helm makes of it: `helm template CHART > manifests.yaml`, then `sandboxd check manifests.yaml`"
    unseen = Unseen("arguments", reason, hint)
    described = [
        container
        for pod in read(document).specs
        for container in containers_of(pod, document.source)
    ]
    described += [container for container, _ in volumes(document)]
    whole = Container(document.source.path, None, unseen=(unseen,), partial=True, on_cluster=True)
    return (whole, *map(without_holes, described))


def subjects(
    document: Document,
) -> Iterator[tuple[str, Pod | PodContainer | RoleBinding | ClusterRole | PodSecurityPolicy]]:
    """The Pods and what Pod Security looks at in each of their containers, volumes, roles, bindings, and policies.

    Of a template roles, bindings and policies alone: what is missing in a Pod may be what Helm puts in.
    """
    from sandboxd.formats.kubernetes.cluster_objects import (
        bindings,
        cluster_roles,
        pod_security_policies,
        volumes,
    )
    from sandboxd.formats.kubernetes.pods import read
    from sandboxd.formats.kubernetes.settings import pod

    is_whole = not _is_template(document)
    if is_whole:
        for spec in read(document).specs:
            described = pod(spec, document.source)
            yield "Pod", described
            for container in described.containers:
                yield "PodContainer", container
        for _, volume in volumes(document):
            yield "Pod", volume
    for binding in bindings(document):
        yield "RoleBinding", binding
    for role in cluster_roles(document):
        yield "ClusterRole", role
    for policy in pod_security_policies(document, is_whole):
        yield "PodSecurityPolicy", policy


def edits(
    document: Document, subject: Container | Pod | PodContainer, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them, in JSON and in a template."""
    if document.language != "yaml" or _is_template(document):
        return None
    from sandboxd.formats.kubernetes import editing

    return editing.edits(document, subject, changes)


can = _defaults.by_edits(edits)
