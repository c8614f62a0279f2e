"""`kustomization.yaml`: it changes manifests that are read, and is not evaluated itself.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.model.container import Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node

NAMES = ("kustomization.yaml", "kustomization.yml", "kustomization")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "transformers")
_SOURCES = ("resources", "bases", "components")
_CHARTS = ("helmCharts", "helmChartInflationGenerator")
# https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md
_REMOTE = re.compile(r"[a-z+]+://|git@|github\.com[/:]|.*[?&]ref=")


def is_one(path: str) -> bool:
    return path.rpartition("/")[2].lower() in NAMES


def unseen(root: Node) -> tuple[Unseen, ...]:
    """The places from which a kustomization takes or changes manifests, in words that follow the file's name."""
    hint = "check what it makes: `kubectl kustomize FOLDER > manifests.yaml`, then `sandboxd check manifests.yaml`"
    return tuple(Unseen("arguments", reason, hint) for reason in _reasons(root))


def _reasons(root: Node) -> Iterator[str]:
    # Late: a look at other files does not need it.
    from sandboxd.syntax import yaml

    keys = [key for key in _PATCHES if _is_filled(root, key)]
    if keys:
        yield f"changes manifests by its `{'`, `'.join(keys)}`, which are not applied here"
    for key in _SOURCES:
        table = yaml.get(root, key)
        for item in table.items if table is not None else ():
            text = yaml.target(item).text() or ""
            if _REMOTE.match(text):
                yield f"takes manifests from `{text}`, which is not fetched"
    if any(_is_filled(root, key) for key in _CHARTS):
        yield "takes manifests from charts of Helm, which are not read"


def _is_filled(root: Node, key: str) -> bool:
    from sandboxd.syntax import yaml

    node = yaml.get(root, key)
    return node is not None and bool(node.items or node.members)
