"""Outcomes that are kept from one run to the next, as long as what they rest on is the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.mutation.points import Point
from tools.mutation.trial import Outcome


class Again(NamedTuple):
    """How a change is to be tried that was tried before."""

    first: str = ""
    """The test that noticed it then."""
    files: frozenset[str] | None = None
    """Files of the tests that are new to it, None for all."""


class Outcomes:
    """The outcomes of one seed, in a file.

    One that a test noticed stands until the changed file or the test's file is another; one that
    survived, until its file or any test is another, and then only tests that are new are tried.
    """

    def __init__(self, root: Path, path: Path, processes: Mapping[str, Sequence[str]]) -> None:
        self._root = root
        self._path = path
        self._processes = processes
        self._rows: dict[str, tuple[Outcome, str, str]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row, code, tests = json.loads(line)
                self._rows[row["title"]] = Outcome(**row), code, tests

    def of(self, point: Point) -> Outcome | Again:
        """What became of a change, or how to try it."""
        if point.title not in self._rows:
            return Again()
        outcome, code, tests = self._rows[point.title]
        same_code = code == self._hash(point.path)
        if same_code and tests == self._tests(outcome):
            return outcome._replace(line=point.line)
        if outcome.noticed_by or not same_code:
            return Again(first=outcome.noticed_by)
        return Again(files=self._changed_since(tests.partition(" ")[0]))

    def keep(self, outcome: Outcome) -> None:
        """Write an outcome down at once: a run may be ended at any time."""
        row = (outcome._asdict(), self._hash(outcome.path), self._tests(outcome))
        with self._path.open("a", encoding="utf-8") as file:
            print(json.dumps(row), file=file)

    def _tests(self, outcome: Outcome) -> str:
        """What an outcome rests on: one file of tests, or all and those of processes that are named."""
        if outcome.noticed_by:
            return self._hash(outcome.noticed_by.partition("::")[0])
        return " ".join([self._hash("tests"), *self._processes.get(outcome.title, ())])

    def _changed_since(self, tree: str) -> frozenset[str] | None:
        answer = self._git("diff", "--name-only", tree, self._hash("tests"))
        if answer is None:
            return None
        files = {f"tests/{name}" for name in answer.splitlines()}
        if any(file.startswith("tests/rules/") for file in files):
            files.add("tests/rules/test_pages.py")
        return frozenset(files)

    def _hash(self, path: str) -> str:
        """Of a file or folder of the last commit, '' for one that is not there."""
        return (self._git("rev-parse", "-q", "--verify", f"HEAD:{path}") or "").strip()

    def _git(self, *words: str) -> str | None:
        done = subprocess.run(
            ["git", *words], cwd=self._root, capture_output=True, text=True, check=False
        )
        return done.stdout if done.returncode == 0 else None
