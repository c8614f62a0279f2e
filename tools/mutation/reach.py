"""The tests that run a function, the cheapest and nearest first, from a record of one run of all tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools.mutation.points import Point
from tools.mutation.sample import room

MOST_SECONDS = 30.0
"""So much time of tests one change may cost, as they took when they were recorded."""

MOST_TESTS = 150

Function = tuple[str, int]
"""A file and the first line of a function in it, that of its first decorator."""


class Test(NamedTuple):
    """A test that was recorded."""

    name: str
    seconds: float


class Reach:
    """What a record says."""

    def __init__(self, root: Path, record: str) -> None:
        self._root = root
        self._tests: dict[str, Test] = {}
        self._reached: dict[Function, set[str]] = defaultdict(set)
        for line in record.splitlines():
            number, _, rest = line.partition(" ")
            if rest.startswith("= "):
                _, seconds, name = rest.split(" ", 2)
                self._tests[number] = Test(name, float(seconds))
            else:
                path, _, first = rest.rpartition(":")
                self._reached[path, int(first)].add(number)
        self._mentions: dict[str, set[Function]] | None = None

    def tests(self, point: Point) -> list[str]:
        """Names of tests that run what is changed; none when no test is known to."""
        functions = self._functions(point)
        numbers = set().union(*(self._reached.get(function, ()) for function in functions))
        reached = [self._tests[number] for number in numbers if number in self._tests]
        names: list[str] = []
        seconds = 0.0
        for test in _spread(reached, room(point.path)):
            seconds += test.seconds
            if names and (seconds > MOST_SECONDS or len(names) == MOST_TESTS):
                break
            names.append(test.name)
        return names

    def _functions(self, point: Point) -> Iterable[Function]:
        """The function that holds a point; of a point outside of functions, those that use its name."""
        inside = [
            node
            for node in ast.walk(ast.parse((self._root / point.path).read_bytes()))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and _first_line(node) <= point.line <= (node.end_lineno or 0)
        ]
        if inside:
            innermost = max(inside, key=_first_line)
            return [(point.path, _first_line(innermost))]
        return self._users().get(point.where.partition(".")[0], ())

    def _users(self) -> dict[str, set[Function]]:
        """The functions of the package by the names that they use."""
        if self._mentions is None:
            self._mentions = defaultdict(set)
            for path in sorted((self._root / "sandboxd").rglob("*.py")):
                relative = str(path.relative_to(self._root))
                for function in ast.walk(ast.parse(path.read_bytes())):
                    if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        for name in _names(function):
                            self._mentions[name].add((relative, _first_line(function)))
        return self._mentions


def _first_line(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([function.lineno, *(each.lineno for each in function.decorator_list)])


def _names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _spread(tests: Iterable[Test], own_room: str) -> Iterator[Test]:
    """One case of each test function first, those of the room itself before others, the cheapest first."""
    cases: dict[str, list[Test]] = defaultdict(list)
    for test in sorted(tests, key=lambda test: (test.seconds, test.name)):
        cases[test.name.partition("[")[0]].append(test)
    near = f"/{own_room}/"
    order = sorted(cases.values(), key=lambda some: (near not in some[0].name, some[0].seconds))
    for number in range(max(map(len, order), default=0)):
        yield from (some[number] for some in order if number < len(some))
