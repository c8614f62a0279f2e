"""The regular expressions of the product: what its source gives to `re`, with the values that its modules have."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_FLAGS_AT = {
    "compile": 1, "match": 2, "fullmatch": 2, "search": 2, "finditer": 2, "findall": 2, "split": 3,
    "sub": 4, "subn": 4,
}  # fmt: skip

_OF_TEXT = ("escape", "join", "upper")
"""Functions that only make a text of texts."""


class Use(NamedTuple):
    """A pattern with the way in which it is used."""

    pattern: str | bytes
    flags: int
    method: str
    """The function of `re`; `search`, which costs most, for a compiled one whose use is not seen."""


class Uses(NamedTuple):
    """What the source shows."""

    known: Mapping[Use, str]
    """With the module of each."""
    unknown: frozenset[tuple[str, str]]
    """The module and the expression of each pattern that only a run gives."""


@functools.cache
def product_uses() -> Uses:
    """The uses of patterns in all modules of the product."""
    known: dict[Use, str] = {}
    unknown: set[tuple[str, str]] = set()
    compiled: dict[Use, str] = {}
    for path in sorted((ROOT / "sandboxd").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "re." not in source and not any(f".{method}" in source for method in _FLAGS_AT):
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for base, method, call in _calls(ast.parse(source)):
            values = _values(name, base, call)
            if not values and _is_re(base) and call is not None:
                unknown.add((name, ast.unparse(call.args[0])))
            for value, flags in values:
                if method == "compile":
                    compiled[Use(value, flags, "search")] = name
                else:
                    known.setdefault(Use(value, flags, method), name)
    used = {(use.pattern, use.flags) for use in known}
    unseen = {use: name for use, name in compiled.items() if use[:2] not in used}
    return Uses({**known, **unseen}, frozenset(unknown))


def _calls(tree: ast.AST) -> Iterator[tuple[ast.expr, str, ast.Call | None]]:
    """What may be a function of `re`, or a method of a pattern: its object, its name, its call if it is called there."""
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _FLAGS_AT:
            yield node.value, node.attr, called.get(id(node))


def _is_re(base: ast.expr) -> bool:
    return isinstance(base, ast.Name) and base.id == "re"


def _values(module: str, base: ast.expr, call: ast.Call | None) -> list[tuple[str | bytes, int]]:
    """The patterns behind an expression, each with its flags; none where only a run knows."""
    if not _is_re(base):
        return [(each.pattern, each.flags) for each in _patterns(_value(module, base))]
    if call is None or not call.args:
        return []
    pattern = _value(module, call.args[0])
    at = _FLAGS_AT[call.func.attr] if isinstance(call.func, ast.Attribute) else 0
    given = [each.value for each in call.keywords if each.arg == "flags"] + call.args[at : at + 1]
    flags = _value(module, given[0]) if given else 0
    if isinstance(pattern, re.Pattern):
        return [(pattern.pattern, pattern.flags)]
    if not isinstance(pattern, str | bytes) or not isinstance(flags, int):
        return []
    return [(pattern, re.compile(pattern, flags).flags)]


def _patterns(value: Any) -> list[re.Pattern[Any]]:
    """The compiled patterns that a value is, or has as its own."""
    if isinstance(value, dict):
        value = list(value.values())
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if isinstance(item, re.Pattern)]


def _value(module: str, expression: ast.expr) -> Any:
    """The value of an expression of a module's constants; None for one that has others in it."""
    if isinstance(expression, ast.Subscript):
        return _value(module, expression.value)
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    scope = vars(importlib.import_module(module)) if names else {}
    calls = [node.func for node in ast.walk(expression) if isinstance(node, ast.Call)]
    if not names <= scope.keys() or not all(
        isinstance(call, ast.Attribute) and call.attr in _OF_TEXT for call in calls
    ):
        return None
    try:
        return eval(compile(ast.Expression(expression), module, "eval"), scope)
    except AttributeError:
        return None
