"""Which tests a run repeats: those that are new or differ since the last landing's run that passed.

A test that passes once and fails one time in ten is found by the run that brings it, not by a later one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.suite.reach import git

TIMES = 10
"""Repetitions of a test."""

END_TO_END_TIMES = 3
"""Repetitions of a test with an engine."""

_END_TO_END = "tests/e2e/"


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


def of_round(tests: Sequence[str], number: int) -> list[str]:
    """What the repetition `number`, from 1, runs."""
    if number > TIMES:
        return []
    return [
        test for test in tests if number <= END_TO_END_TIMES or not test.startswith(_END_TO_END)
    ]


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
