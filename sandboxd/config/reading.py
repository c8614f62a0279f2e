"""Finds a `sandboxd.toml` and reads it, strictly.

A key that is not known, or a value of the wrong type, yields no config at all: a misspelt
restriction must not silently be none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from sandboxd.config.model import Config
from sandboxd.config.reader import Reader
from sandboxd.config.values import NESTED_SANDBOXES, RUNTIMES
from sandboxd.files import CONFIG_NAME, find_upward
from sandboxd.findings import Finding

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node, Tree
    from sandboxd.text import SourceText


# The fields of `Config` that have another name than their table.
_FIELDS = {"workspace": "wishes", "check": "others"}


def nearest(start: str) -> str | None:
    """The path of the `sandboxd.toml` in `start` or the closest folder above it; None where there is none."""
    return find_upward(start, CONFIG_NAME)


def parse(
    source: SourceText, workspace: str = "", rule_ids: Collection[str] | None = None
) -> tuple[Config | None, tuple[Finding, ...]]:
    """The config in `source`, and the findings about it; with any finding the config is None.

    :param workspace: the folder that it applies to; '' for the folder of the file
    :param rule_ids: ids that `[rules]` and `[[allow]]` may name; None for no check of them
    """
    from sandboxd.syntax.toml import parse as parse_toml

    config, findings = check(source, parse_toml(source.text), rule_ids)
    if config is not None and workspace:
        config = config._replace(workspace=workspace)
    return config, findings


def check(
    source: SourceText, tree: Tree, rule_ids: Collection[str] | None = None
) -> tuple[Config | None, tuple[Finding, ...]]:
    """The config of a text that is parsed already; otherwise as `parse`."""
    reader = Reader(source.path, rule_ids)
    for problem in tree.problems:
        reader.report("config-syntax-error", problem.span, problem.message, "syntax")
    values: dict[str, object] = {}
    if tree.root is not None:
        readers: dict[str, Callable[[Node], object]] = {
            "profile": reader.profile,
            "runtime": lambda node: reader.choice(node, "runtime", RUNTIMES),
            "image": lambda node: reader.own_text(node, "image"),
            "skip_features": reader.skip_features,
            "user": lambda node: reader.own_text(node, "user"),
            "nested_sandbox": lambda node: reader.choice(node, "nested_sandbox", NESTED_SANDBOXES),
            "capabilities": reader.capabilities,
            "devices": reader.devices,
            "network": reader.network,
            "credentials": reader.credentials,
            "workspace": reader.workspace,
            "limits": reader.limits,
            "where": reader.where,
            "environment": reader.environment,
            "check": reader.others,
            "allow": reader.allow,
            "rules": reader.levels,
        }
        for key, node in reader.members(tree.root, ""):
            values[_FIELDS.get(key, key)] = readers[key](node)
    if reader.findings:
        return None, tuple(reader.findings)
    folder = os.path.dirname(os.path.abspath(source.path))
    return Config(source.path, folder, **values), ()  # type: ignore[arg-type]
