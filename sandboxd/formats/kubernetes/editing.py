"""Changes of a container or a Pod as edits of its manifest, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.formats import _yaml_edits
from sandboxd.formats.kubernetes.pods import read
from sandboxd.model.container import Container
from sandboxd.model.pod import Pod
from sandboxd.syntax import yaml, yaml_edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change, Replace
    from sandboxd.formats._yaml_edits import Addition
    from sandboxd.model.document import Document
    from sandboxd.model.pod import PodContainer
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit

# How a manifest says what docker's options say; the others have no word for it there.
_SPELLINGS = {
    ("security_opt", "no-new-privileges=true"): ("securityContext", "allowPrivilegeEscalation"),
    ("cap_drop", "ALL"): ("securityContext", "capabilities", "drop"),
    ("cap_add", ""): ("securityContext", "capabilities", "add"),
}
_FALSE = ("no-new-privileges=true", "no-new-privileges:true")


def edits(
    document: Document, subject: Container | Pod | PodContainer, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them.

    Additions to a container are in docker's words; to a Pod, or to what only a container of a Pod has, the
    field is a path with dots below its description.
    """
    target = _object(document, subject)
    text_edits: list[Edit] = []
    removed: list[Node] = []
    added: Addition = {}
    for change in changes:
        if isinstance(change, Add):
            if not _add(added, change, isinstance(subject, Container)):
                return None
        elif not change.value.nodes:
            return None
        elif isinstance(change, Remove):
            removed.extend(change.value.nodes)
        else:
            edit = _replacement(change)
            if edit is None:
                return None
            text_edits.extend(edit)
    removals = _yaml_edits.removals(document, removed, target)
    if removals is None:
        return None
    text_edits.extend(removals)
    if added:
        if target is None:
            return None
        text_edits.extend(_yaml_edits.additions(document.source.text, target, added))
    return tuple(text_edits)


def _object(document: Document, subject: Container | Pod | PodContainer) -> Node | None:
    """The object of the file that `subject` describes."""
    if subject.place is None:
        return None
    at = subject.place.span.start
    for spec in read(document).specs:
        if isinstance(subject, Pod):
            if _holds(spec.object, at):
                return spec.spec
            continue
        for node in spec.containers:
            if _holds(node, at):
                return node
    return None


def _holds(node: Node, at: int) -> bool:
    start, end = node.span
    return start <= at < end


def _add(added: Addition, change: Add, in_words_of_docker: bool) -> bool:
    """Note the text to add for `change`; False where a manifest cannot express it."""
    path = tuple(change.field.split("."))
    item: str | list[str] = change.item
    if in_words_of_docker:
        path = _SPELLINGS.get((change.field, change.item), ()) or _SPELLINGS.get(
            (change.field, ""), ()
        )
        if not path:
            return False
        item = "false" if path[-1] == "allowPrivilegeEscalation" else [change.item]
    *outer, last = path
    for key in outer:
        inner = added.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        added = inner
    before = added.get(last)
    added[last] = [*before, *item] if isinstance(before, list) else item
    return True


def _replacement(change: Replace) -> tuple[Edit, ...] | None:
    """The edit that replaces a scalar, None where the manifest spells it in another way."""
    node = change.value.nodes[-1]
    if change.value.origin.key == "allowPrivilegeEscalation":
        return yaml_edit.replace(node, "false") if change.new in _FALSE else None
    if node.kind == "boolean":
        return yaml_edit.replace(node, change.new) if change.new in ("true", "false") else None
    if node.kind in ("object", "array") or yaml.scalar_text(node) != change.value.written:
        return None
    return yaml_edit.replace(node, yaml_edit.encode(change.new))
