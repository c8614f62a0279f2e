"""The points of a module that can be changed so that its meaning changes, and each change as text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_SWAPPED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
}
# Calls whose loss nobody could see or would miss.
_WITHOUT_EFFECT = {"add_argument", "set_defaults", "print", "debug", "info", "warning", "cast"}
_OF_CONTAINERS = {"frozenset", "set", "tuple", "list", "dict", "MappingProxyType"}


class Point(NamedTuple):
    """One change: bytes `start` to `end` of the file become `text`."""

    path: str
    line: int
    kind: str
    """`list item`, or the kind of a change of the flow."""
    start: int
    end: int
    text: str
    before: str
    """The bytes that are replaced, as text on one line."""
    where: str
    """The function or name that holds the point: it stays the same when lines move."""
    before_it: int = 0
    """So many changes that read the same stand above it in the same function."""

    @property
    def title(self) -> str:
        """Names the change independently of the line it is on; no two have the same."""
        after = "(nothing)" if self.kind == "list item" else " ".join(self.text.split())
        again = f" (number {self.before_it + 1})" if self.before_it else ""
        return f"{self.path} {self.where}: {self.kind} `{self.before}` -> `{after}`{again}"

    def applied(self, source: bytes) -> bytes:
        """The file after the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def points(root: Path, path: str) -> list[Point]:
    """All changes of a module, in the order of the text; a few do not parse: see `parses`."""
    source = (root / path).read_bytes()
    reader = _Reader(path, source)
    return list(_numbered(sorted({*reader.walk(ast.parse(source), "module")})))


def _numbered(found: Iterable[Point]) -> Iterator[Point]:
    above: Counter[str] = Counter()
    for point in found:
        yield point._replace(before_it=above[point.title])
        above[point.title] += 1


def parses(root: Path, point: Point) -> bool:
    """Whether the module is Python after the change."""
    try:
        ast.parse(point.applied((root / point.path).read_bytes()))
    except (SyntaxError, ValueError):
        return False
    return True


class _Reader:
    """Finds the points of one module."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self.lines = [0]
        for line in source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def walk(self, node: ast.AST, where: str) -> Iterator[Point]:
        """The points in `node` and below."""
        for child in ast.iter_child_nodes(node):
            inside = where
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inside = child.name if where == "module" else f"{where}.{child.name}"
            if isinstance(child, ast.If) and _is_for_types(child.test):
                continue
            if isinstance(child, (ast.Assign, ast.AnnAssign)) and where == "module":
                inside = _name(child)
                if child.value is not None and not inside.startswith(("__", "(")):
                    yield from self._items(child.value, inside)
            yield from self._at(child, inside)
            yield from self.walk(child, inside)

    def _at(self, node: ast.AST, where: str) -> Iterator[Point]:
        match node:
            case ast.If(test=test, body=[*_, last], orelse=[]) if isinstance(
                last, (ast.Return, ast.Raise, ast.Continue, ast.Break)
            ) and not _binds(test):
                yield self._point("guard dropped", test, "False", where)
            case ast.BoolOp(values=values) if not any(_binds(value) for value in values):
                yield self._point("operand dropped", node, self._text(values[0]), where)
                yield self._point("operand dropped", node, self._text(values[-1]), where)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._point("not dropped", node, self._text(operand), where)
            case ast.Compare():
                yield from self._compared(node, where)
            case ast.Return(value=ast.Constant(value=bool() as value)):
                yield self._point("answer turned", node, f"return {not value}", where)
            case ast.keyword(arg=str() as name, value=ast.Constant(value=bool() as value)):
                if name not in ("safe", "slots", "frozen"):
                    yield self._point("flag turned", node, f"{name}={not value}", where)
            case ast.Expr(value=ast.Call(func=function)):
                if _last_name(function) not in _WITHOUT_EFFECT:
                    yield self._point("call dropped", node, "pass", where)
            case ast.JoinedStr() | ast.Constant(value=str()):
                text = self._text(node)
                if text.endswith(('/"', "/'")) and len(text) > 3 and "://" not in text:
                    yield self._point("slash dropped", node, text[:-2] + text[-1], where)

    def _compared(self, node: ast.Compare, where: str) -> Iterator[Point]:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            pattern, swapped = _SWAPPED[type(operator)]
            start, end = self._span(left)[1], self._span(right)[0]
            between = self.source[start:end].decode()
            hit = re.search(pattern, between)
            if hit and not _version_check(node):
                at = start + len(between[: hit.start()].encode())
                stop = at + len(hit[0])
                before = self._text(node)
                yield self._make("comparison turned", at, stop, swapped, before, where)
            if isinstance(operator, (ast.In, ast.NotIn)):
                yield from self._items(right, where)
            left = right

    def _items(self, value: ast.expr, where: str) -> Iterator[Point]:
        """Each item of a literal that can be left out; rows of a table are left out whole."""
        match value:
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                spans = [self._span(item) for item in items]
            case ast.Dict(keys=keys, values=items):
                if any(key is None for key in keys):
                    return
                spans = [
                    (self._span(key)[0], self._span(item)[1])
                    for key, item in zip(keys, items, strict=True)
                    if key is not None
                ]
                for item in items:
                    yield from self._items(item, where)
            case ast.Call(func=ast.Name(id=name), args=[only]) if name in _OF_CONTAINERS:
                yield from self._items(only, where)
                return
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str()) as words, attr="split")
            ):
                yield from self._words(words, where)
                return
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                yield from self._items(left, where)
                yield from self._items(right, where)
                return
            case _:
                return
        if len(spans) < 2:
            return
        for (start, end), following in zip(spans, [*spans[1:], None], strict=True):
            before = self.source[start:end].decode()
            stop = following[0] if following else self._after_comma(end)
            text = ""
            if isinstance(value, ast.Tuple) and len(spans) == 2 and following:
                # What is left is a tuple only with a comma.
                last = following[1]
                if self._after_comma(last) == last:
                    stop, text = last, f"{self.source[following[0] : last].decode()},"
            yield self._make("list item", start, stop, text, before, where)

    def _words(self, node: ast.expr, where: str) -> Iterator[Point]:
        start, end = self._span(node)
        for hit in re.finditer(rb"[\w./:*-]+", self.source[start:end]):
            yield self._make(
                "list item", start + hit.start(), start + hit.end(), "", hit[0].decode(), where
            )

    def _after_comma(self, end: int) -> int:
        hit = re.match(rb"\s*,", self.source[end:])
        return end + hit.end() if hit else end

    def _span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.lines[node.lineno - 1] + node.col_offset
        return start, self.lines[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def _point(
        self, kind: str, node: ast.expr | ast.stmt | ast.keyword, text: str, where: str
    ) -> Point:
        start, end = self._span(node)
        return self._make(kind, start, end, text, self._text(node), where)

    def _make(self, kind: str, start: int, end: int, text: str, before: str, where: str) -> Point:
        line = self.source.count(b"\n", 0, start) + 1
        short = " ".join(before.split()).replace("`", "'")[:100]
        return Point(self.path, line, kind, start, end, text, short, where)


def _name(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    return ast.unparse(target)


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _binds(node: ast.expr) -> bool:
    """Whether a name is bound in a condition: without it what follows would not run at all."""
    return any(isinstance(child, ast.NamedExpr) for child in ast.walk(node))


def _is_for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _version_check(node: ast.Compare) -> bool:
    return any(
        isinstance(child, ast.Attribute) and child.attr == "version_info"
        for child in ast.walk(node)
    )
