"""Try changes in a clone of the checkout: a test that fails has noticed one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tools.mutation.concern import Suite
from tools.mutation.points import Point

_OPTIONS = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_NO_TESTS = 5
_LONGEST_SECONDS = 1800.0


class Outcome(NamedTuple):
    """What became of a change."""

    title: str
    path: str
    line: int
    kind: str
    noticed_by: str
    """The first test that failed, '' for a survivor."""


class Workplace:
    """A clone of the last commit, in which one file at a time is changed."""

    def __init__(self, source: Path, folder: Path, processes: bool = False) -> None:
        """:param processes: whether tests of whole processes may notice a change too"""
        subprocess.run(["git", "clone", "-q", "--shared", source, folder], check=True)
        self.root = folder
        self.tests = Suite(folder)
        self._processes = processes
        self.red: tuple[str, ...] = ()
        """Tests that fail on the code as it is."""
        self._green: dict[str, bool] = {}
        self._tick = int(time.time())

    def attempt(self, point: Point) -> Outcome:
        """Change one point, run the tests that concern it, and put the file back.

        A test that fails without the change, too, has noticed nothing and is left out from then on.
        """
        while (test := self._failing(point)) and not self._passes(test):
            self.red += (test,)
        return Outcome(point.title, point.path, point.line, point.kind, test)

    def _failing(self, point: Point) -> str:
        """The first test that fails with the change, '' when none does."""
        file = self.root / point.path
        source = file.read_bytes()
        try:
            self._write(file, point.applied(source))
            return self._noticed(point.path)
        finally:
            self._write(file, source)

    def _passes(self, test: str) -> bool:
        """Whether a test passes on the code as it is; each is asked once."""
        if test not in self._green and "::" in test:
            self._green[test] = self._pytest([*_OPTIONS, test]).returncode == 0
        return self._green.get(test, True)

    def _noticed(self, path: str) -> str:
        near = self.tests.near(path)
        far = [file for file in self.tests.far(path) if file not in near or "-k" in near]
        whole = self.tests.whole(path) if self._processes else []
        for words in (near, far, whole):
            if words:
                done = self._pytest([*_OPTIONS, *words])
                if done.returncode not in (0, _NO_TESTS):
                    failed = _FAILED.findall(done.stdout)
                    return failed[0] if failed else "pytest itself"
        return ""

    def _pytest(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        skipped = [word for test in self.red for word in ("--deselect", test)]
        command = [sys.executable, "-m", "pytest", *words, *skipped]
        environ = {**os.environ, "PYTHONPATH": str(self.root), "HYPOTHESIS_PROFILE": "default"}
        try:
            return subprocess.run(
                command,
                cwd=self.root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=_LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "FAILED (no end in time)", "")

    def _write(self, file: Path, source: bytes) -> None:
        """A time of its own for each text: Python tells stale bytecode by the second."""
        file.write_bytes(source)
        self._tick += 1
        os.utime(file, (self._tick, self._tick))
