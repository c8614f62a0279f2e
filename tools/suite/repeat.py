"""Which tests a run repeats: those that are new or differ since their part of the suite last passed.

A test that passes once and fails one time in ten is found by the run that brings it, not by a later one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import tiers
from tests.tiers import Part
from tools.suite.passed import NEVER, PROMISES, Passed
from tools.suite.reach import git

TIMES = 10
"""Repetitions of a test."""

END_TO_END_TIMES = 3
"""Repetitions of a test with an engine."""

_END_TO_END = "tests/e2e/"
_OF_PROCESSES = (_END_TO_END, "tests/integration/")
"""Tests of real processes, which fail at times more often than others."""

_UNKNOWN = {_END_TO_END: 20.0, "tests/integration/": 3.0}
_UNKNOWN_UNIT = 0.1
"""Seconds that a test takes whose file was never recorded."""


class Plan(NamedTuple):
    """What a run repeats."""

    runs: tuple[tuple[str, ...], ...]
    """The tests of each call of pytest, in their order."""
    left: tuple[str, ...]
    """Tests for which there is no time at all."""


def plan(tests: Sequence[str], files: Mapping[str, Any], seconds: float) -> Plan:
    """What to repeat in the time there is, by what each file took when it was recorded.

    First everything once, units first and then what is cheapest. What time is left goes to tests of real processes,
    round by round, and at last to units.

    :param files: what was recorded of each file of tests
    """
    cost = {test: _seconds(test, files) for test in tests}
    steps = [(number, test) for test in tests for number in range(1, _times(test) + 1)]
    chosen: dict[tuple[int, int], list[str]] = {}
    for number, test in sorted(steps, key=lambda step: (*_turn(*step), cost[step[1]])):
        if cost[test] <= seconds:
            seconds -= cost[test]
            chosen.setdefault(_turn(number, test), []).append(test)
    reached = {test for run in chosen.values() for test in run}
    return Plan(
        tuple(tuple(run) for run in chosen.values()),
        tuple(test for test in tests if test not in reached),
    )


def new_of(root: Path, last: Mapping[str, Passed], taken: Sequence[Part]) -> list[str]:
    """The tests of a run that are new or changed: of each part, and of what no part names, since it last passed.

    :param taken: the parts that the run has
    """
    parts = tiers.parts()
    promises = new_or_changed(root, last.get(PROMISES, NEVER).commit)
    found = {test for test in promises if not any(_is_of(part, test) for part in parts)}
    for part in taken:
        tests = new_or_changed(root, last.get(part.name, NEVER).commit)
        found |= {test for test in tests if _is_of(part, test)}
    return sorted(found)


def _is_of(part: Part, test: str) -> bool:
    return any(tiers.names(name, test) for name in part.tests)


def _times(test: str) -> int:
    return END_TO_END_TIMES if test.startswith(_END_TO_END) else TIMES


def _turn(number: int, test: str) -> tuple[int, int]:
    is_of_processes = test.startswith(_OF_PROCESSES)
    if number == 1:
        return 0, int(is_of_processes)
    return (1, number) if is_of_processes else (2, number)


def _seconds(test: str, files: Mapping[str, Any]) -> float:
    row = files.get(tiers.file_of(test))
    if row is not None and row["wall"]:
        return float(row["wall"]) / max(int(row["tests"]), 1)
    unknown = (cost for folder, cost in _UNKNOWN.items() if test.startswith(folder))
    return next(unknown, _UNKNOWN_UNIT)


def new_or_changed(root: Path, commit: str) -> list[str]:
    """The tests, as pytest names them, whose function differs from that of the tree of `commit`, or is not in it.

    Empty where git does not know the commit: nobody can say then what is new.
    """
    if not git(root, "cat-file", "-t", commit):
        return []
    found = []
    paths = git(
        root, "diff", "--name-only", "--no-renames", "--diff-filter=d", commit, "--", "tests"
    )
    paths += git(root, "ls-files", "--others", "--exclude-standard", "--", "tests")
    for path in paths:
        if Path(path).match("test_*.py"):
            old = set(_functions("\n".join(git(root, "show", f"{commit}:{path}"))))
            now = _functions((root / path).read_text(encoding="utf-8"))
            found += [f"{path}::{name}" for name, text in now if (name, text) not in old]
    return sorted(found)


def _functions(source: str) -> Iterator[tuple[str, str]]:
    """Each test function's name, with its class before it, and what it does whatever its layout."""
    for node in ast.parse(source).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith(
                "test"
            ):
                yield f"{prefix}{each.name}", ast.dump(each)
