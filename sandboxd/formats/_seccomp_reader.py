"""The JSON of a seccomp profile as `model.seccomp` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.model.seccomp import ALLOW, Argument, Condition, SeccompProfile, SeccompRule
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import go_json
from sandboxd.text import Span

if TYPE_CHECKING:
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Member, Node


def profile(document: Document) -> SeccompProfile | None:
    """The profile of a file; None when it holds nothing of one."""
    root = document.tree.root
    if root is None or root.kind != "object":
        return None
    default, syscalls = go_json.get(root, "defaultAction"), go_json.get(root, "syscalls")
    if default is None and syscalls is None:
        return None
    path = document.source.path
    rules = [_rule(item, path) for item in _items(syscalls) if item.kind == "object"]
    by_name: dict[str, list[tuple[Value[str], SeccompRule]]] = {}
    for rule in rules:
        for name in rule.names:
            by_name.setdefault(name.value, []).append((name, rule))
    anchor = _member(root, "syscalls") or _member(root, "defaultAction")
    return SeccompProfile(
        path,
        Place(path, anchor.key.span if anchor else Span(root.span.start, root.span.start + 1)),
        _value(default, path, "defaultAction"),
        _number(go_json.get(root, "defaultErrnoRet")),
        tuple(_architectures(root, path)),
        tuple(rules),
        {name: tuple(pairs) for name, pairs in by_name.items()},
        _text(go_json.get(root, "listenerPath")),
    )


def target(root: Node, field: str) -> Node | None:
    """The list to add to: one of the profile, or the `names` of the first plain rule; None without one."""
    syscalls = go_json.get(root, "syscalls")
    if field in ("syscalls", "architectures"):
        return go_json.get(root, field)
    for item in _items(syscalls):
        names = go_json.get(item, "names")
        plain = not any(_has(item, key) for key in ("args", "includes", "excludes"))
        if names is not None and plain and _text(go_json.get(item, "action")) == ALLOW:
            return names
    return None


def _member(root: Node, name: str) -> Member | None:
    """The last property of this name, whatever its case."""
    folded = go_json.fold(name)
    same = [member for member in root.members if go_json.fold(str(member.key.value)) == folded]
    return same[-1] if same else None


def _rule(node: Node, path: str) -> SeccompRule:
    names = [*_items(go_json.get(node, "names"))]
    single = go_json.get(node, "name")
    if single is not None:
        names.append(single)
    values = [_value(name, path, "syscalls") for name in names]
    return SeccompRule(
        tuple(value for value in values if value is not None),
        _text(go_json.get(node, "action")) or "",
        _number(go_json.get(node, "errnoRet")),
        tuple(
            _argument(item) for item in _items(go_json.get(node, "args")) if item.kind == "object"
        ),
        _condition(go_json.get(node, "includes")),
        _condition(go_json.get(node, "excludes")),
        node,
    )


def _argument(node: Node) -> Argument:
    return Argument(
        _number(go_json.get(node, "index")) or 0,
        _text(go_json.get(node, "op")) or "",
        _number(go_json.get(node, "value")) or 0,
        _number(go_json.get(node, "valueTwo")) or 0,
    )


def _condition(node: Node | None) -> Condition:
    if node is None:
        return Condition()
    kernel = _text(go_json.get(node, "minKernel")) or ""
    numbers = [part for part in kernel.split(".")[:2] if part.isdecimal() and len(part) < 10]
    return Condition(
        tuple(_texts(go_json.get(node, "caps"))),
        tuple(_texts(go_json.get(node, "arches"))),
        tuple(int(part) for part in numbers),
    )


def _architectures(root: Node, path: str) -> list[Value[str]]:
    values = [
        _value(item, path, "architectures") for item in _items(go_json.get(root, "architectures"))
    ]
    for entry in _items(go_json.get(root, "archMap")):
        values.append(_value(go_json.get(entry, "architecture"), path, "archMap"))
        below = _items(go_json.get(entry, "subArchitectures"))
        values.extend(_value(item, path, "archMap") for item in below)
    return [value for value in values if value is not None]


def _value(node: Node | None, path: str, key: str) -> Value[str] | None:
    text = _text(node)
    if node is None or text is None:
        return None
    # Without the quotes.
    span = node.inside()
    if span.end - span.start != len(text):
        span = node.span
    return Value(text, Origin("file", path, key), Place(path, span), text, (node,))


def _items(node: Node | None) -> list[Node]:
    return node.items if node is not None else []


def _texts(node: Node | None) -> list[str]:
    return [text for item in _items(node) if (text := item.text()) is not None]


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text()


def _number(node: Node | None) -> int | None:
    value = node.value if node is not None and node.kind == "number" else None
    return int(value) if isinstance(value, (int, float)) and abs(value) < 2**65 else None


def _has(node: Node, key: str) -> bool:
    child = go_json.get(node, key)
    return child is not None and bool(child.items or child.members)
