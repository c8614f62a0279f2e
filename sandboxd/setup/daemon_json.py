"""Adds runtimes to the engine's daemon.json, or removes them; every other byte stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.syntax import jsonc, jsonc_edit
from sandboxd.syntax.node import Node, Tree
from sandboxd.text import Edit, apply_edits

Definition = dict[str, Any]
"""``{"path": ..., "runtimeArgs": [...]}``."""


def merge(text: str, runtimes: Mapping[str, Definition], path: str) -> str:
    """`text` with `runtimes` added or replaced; order, unknown keys, indentation and line ends stay.

    :raises UsageError: it is not a JSON object, so that the engine would not start with it either
    """
    if not text.strip():
        return json.dumps({"runtimes": dict(runtimes)}, indent=2) + "\n"
    for name, definition in runtimes.items():
        text = _set(text, name, definition, path)
    return text


def without(text: str, names: tuple[str, ...], path: str) -> str:
    """`text` without the runtimes `names`; an empty `runtimes` is removed, too.

    :raises UsageError: it is not a JSON object
    """
    for name in names:
        _, root, table = _tables(text, path)
        member = table.member(name) if table is not None else None
        if table is None or member is None:
            continue
        edits = jsonc_edit.remove_member(text, table, member)
        if len(table.members) == 1:
            whole = root.member("runtimes")
            assert whole is not None
            edits = jsonc_edit.remove_member(text, root, whole)
        text = apply_edits(text, edits)
    return text


def with_empty_table(text: str, path: str) -> str:
    """`text`, which has no `runtimes`, with an empty one added."""
    if not text.strip():
        return '{"runtimes": {}}\n'
    tree, root, _ = _tables(text, path)
    return apply_edits(text, jsonc_edit.set_member(text, tree, root, "runtimes", "{}"))


def definitions(text: str) -> dict[str, Any]:
    """The `runtimes` table; {} if there is none."""
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError:
        return {}
    table = value.get("runtimes") if isinstance(value, dict) else None
    return table if isinstance(table, dict) else {}


def _set(text: str, name: str, definition: Definition, path: str) -> str:
    if definitions(text).get(name) == definition:
        return text
    tree, root, table = _tables(text, path)
    indented = re.search(r"\n([ \t]+)\S", text)
    unit = indented[1] if indented else ""
    edits: tuple[Edit, ...]
    if table is None:
        encoded = jsonc_edit.encode({name: definition}, unit)
        edits = jsonc_edit.set_member(text, tree, root, "runtimes", encoded)
    else:
        encoded = jsonc_edit.encode(definition, unit)
        edits = jsonc_edit.set_member(text, tree, table, name, encoded)
    new = apply_edits(text, edits)
    if definitions(new).get(name) != definition:
        raise EnvironmentFailure(
            f"`{path}` cannot be changed safely", f"add the runtime `{name}` to it by hand"
        )
    return new


def _tables(text: str, path: str) -> tuple[Tree, Node, Node | None]:
    """The tree of `text`, its root and its `runtimes`.

    :raises UsageError: it is not a JSON object
    """
    try:
        strict = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"`{path}` is not valid JSON: {str(error).lower()}",
            "correct it: the engine does not start with it either",
        ) from None
    tree = jsonc.parse(text)
    root = tree.root
    if root is None or not isinstance(strict, dict):
        raise UsageError(f"`{path}` is not a JSON object", "correct it")
    return tree, root, root.get("runtimes")
