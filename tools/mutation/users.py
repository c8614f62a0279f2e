"""Who runs what is changed: the function that holds it, or those that use the value or class it is in."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.mutation.points import Point

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Use(NamedTuple):
    """A function, or a value of a module (`names` are then those that it is bound to), and what it mentions."""

    path: str
    where: str
    names: frozenset[str]
    mentions: frozenset[str]


class Users:
    """The functions of a checkout, by what they use."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._uses: dict[str, list[_Use]] | None = None
        self._functions: set[str] = set()

    def of(self, point: Point) -> set[str]:
        """Places as in a record, `sandboxd/text.py:SourceText.position`.

        Names that begin with `_` are looked for in the file itself, others in the whole package.
        """
        uses = self._all()
        place = f"{point.path}:{point.where}"
        if place in self._functions:
            return {place}
        wanted = set(re.findall(r"\w+", point.where.partition(".")[0]))
        found = {each for each in self._functions if each.startswith(f"{place}.")}
        asked: set[tuple[str, str]] = set()
        queue = [(point.path, name) for name in sorted(wanted)]
        while queue:
            path, name = asked_for = queue.pop()
            if asked_for in asked:
                continue
            asked.add(asked_for)
            for use in uses.get(name, ()):
                if name.startswith("_") and use.path != path:
                    continue
                if use.names:
                    queue += [(use.path, other) for other in sorted(use.names)]
                else:
                    found.add(f"{use.path}:{use.where}")
        return found

    def _all(self) -> dict[str, list[_Use]]:
        if self._uses is None:
            self._uses = defaultdict(list)
            for path in sorted((self._root / "sandboxd").rglob("*.py")):
                relative = str(path.relative_to(self._root))
                for use in _uses(relative, ast.parse(path.read_bytes()), ""):
                    for name in use.mentions:
                        self._uses[name].append(use)
                    if not use.names:
                        self._functions.add(f"{relative}:{use.where}")
        return self._uses


def _uses(path: str, tree: ast.AST, outside: str) -> Iterator[_Use]:
    """The functions of a module or class, however deep, and the values of a module."""
    for node in ast.iter_child_nodes(tree):
        inside = outside
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            inside = f"{outside}.{node.name}" if outside else node.name
        if isinstance(node, _FUNCTIONS):
            yield _Use(path, inside, frozenset(), frozenset(_mentions(node)))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and not outside and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {name for target in targets for name in _mentions(target)}
            yield _Use(path, "", frozenset(names), frozenset(_mentions(node.value)) - names)
        yield from _uses(path, node, inside)


def _mentions(node: ast.AST) -> Iterator[str]:
    """Names, attributes, and words that could be names: some values are read by `getattr`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.Constant) and str(child.value).isupper():
            yield str(child.value)
