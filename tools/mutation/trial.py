"""Try changes in a clone of the checkout: a test that fails has noticed one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.mutation.concern import LEFT_OUT, Suite
from tools.mutation.points import Point
from tools.mutation.reach import Reach
from tools.mutation.record import Record
from tools.mutation.runner import LATE, Runner

_OPTIONS = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_USAGE = 4
_NO_TESTS = 5

_FEW = 12
"""Tests that are tried before all others: to collect many files costs more than to run these."""

IN_PROCESS = ("tests/unit", "tests/rules", "tests/contract")


class Outcome(NamedTuple):
    """What became of a change."""

    title: str
    path: str
    line: int
    kind: str
    noticed_by: str
    """The first test that failed, '' for a survivor."""


class Workplace:
    """A clone of the last commit, in which one file at a time is changed.

    It has an interpreter of its own: whatever a test starts with it finds the clone's package, also
    without an environment variable that says so.
    """

    def __init__(self, source: Path, folder: Path, processes: Mapping[str, Sequence[str]]) -> None:
        """:param processes: tests of whole processes for a change, by its title"""
        subprocess.run(["git", "clone", "-q", "--shared", source, folder / "clone"], check=True)
        self.root = folder / "clone"
        self.tests = Suite(self.root)
        self.red: tuple[str, ...] = ()
        """Tests that fail on the code as it is, or do not fail again."""
        self.reach: Reach | None = None
        self._processes = processes
        self._green: dict[str, bool] = {}
        self._tick = int(time.time())
        self._venv = folder / "venv"
        self._make_interpreter()
        self._runner = Runner(self._venv / "bin/python", self.root, folder / "output")

    def record(self, record: Record, stamps: Mapping[str, str]) -> None:
        """Run the files of tests that have changed since, and write down which functions they run."""
        folder = self._venv / "record"
        folder.mkdir()
        hook = self._packages() / "recorder.pth"
        hook.write_text(
            f"import sys; sys.path[:0] = [{str(self.root)!r}]; "
            "from tools.mutation import recorder; sys.path.pop(0); "
            f"recorder.start({str(self.root)!r}, {str(folder)!r})\n"
        )
        files = record.changed(stamps)
        words = ["-q", "--no-header", "--tb=no", "-p", "tools.mutation.plugin", *files]
        self._runner.once(words)
        hook.unlink()
        written = folder / "reach"
        record.take(written.read_text(encoding="utf-8") if written.exists() else "", stamps)

    def attempt(
        self, point: Point, first: str = "", files: Collection[str] | None = None
    ) -> Outcome:
        """Change one point, run the tests that concern it, and put the file back.

        A test that fails without the change, too, or does not fail again with it, has noticed nothing
        and is left out from then on.

        :param first: a test that noticed this change before the code or the test was another
        :param files: only tests of these, and those of whole processes
        """
        while (test := self._failing(point, first, files)) and not self._passes(test):
            self.red += (test,)
        return Outcome(point.title, point.path, point.line, point.kind, test)

    def _failing(self, point: Point, first: str, files: Collection[str] | None) -> str:
        """The first test that fails with the change, '' when none does."""
        file = self.root / point.path
        source = file.read_bytes()
        try:
            self._write(file, point.applied(source))
            while (test := self._noticed(point, first, files)) and "::" in test:
                if self._pytest([*_OPTIONS, test])[0]:
                    break
                self.red += (test,)
            return test
        finally:
            self._write(file, source)

    def _passes(self, test: str) -> bool:
        """Whether a test passes on the code as it is; each is asked once."""
        if test not in self._green and "::" in test:
            self._green[test] = self._pytest([*_OPTIONS, test])[0] == 0
        return self._green.get(test, True)

    def _noticed(self, point: Point, first: str, files: Collection[str] | None) -> str:
        for words in self._words(point, first, files):
            if words:
                code, output = self._pytest([*_OPTIONS, *words])
                if code == _USAGE:
                    # A case that is made from what was changed has another name now.
                    of_files = dict.fromkeys(word.partition("::")[0] for word in words)
                    code, output = self._pytest([*_OPTIONS, *of_files])
                if code not in (0, _NO_TESTS):
                    failed = _FAILED.findall(output)
                    return failed[0] if failed else "pytest itself"
        return ""

    def _words(
        self, point: Point, first: str, files: Collection[str] | None
    ) -> Iterator[list[str]]:
        """What pytest is to run, one after the other."""
        if first and first not in self.red and (self.root / first.partition("::")[0]).exists():
            yield [first]
        reached = self.reach.tests(point, files) if self.reach is not None else []
        if reached:
            yield [name for name in reached[:_FEW] if name not in self.red]
            yield [name for name in reached[_FEW:] if name not in self.red]
            some = self.tests.mentioning(point.path, point.where.partition(".")[0])
            yield [file for file in some if files is None or file in files]
            if point.kind == "list item":
                # Tests whose cases are made from a list have read it before one of them ran.
                near = self.tests.near(point.path)
                yield near if files is None else [file for file in near if file in files]
        elif files is None:
            near = self.tests.near(point.path)
            yield near
            yield [file for file in self.tests.far(point.path) if file not in near or "-k" in near]
        yield list(self._processes.get(point.title, ()))

    def _pytest(self, words: Sequence[str]) -> tuple[int, str]:
        """Exit code and output."""
        skipped = [word for test in self.red for word in ("--deselect", test)]
        code, output = self._runner.run([*words, *skipped])
        return (1, "FAILED (no end in time)") if code == LATE else (code, output)

    def end(self) -> None:
        """End its process."""
        self._runner.end()

    def _make_interpreter(self) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self._venv], check=True)
        ours = sysconfig.get_paths()["purelib"]
        (self._packages() / "clone.pth").write_text(f"{self.root}\n{ours}\n")

    def _packages(self) -> Path:
        [folder] = self._venv.glob("lib/python3*/site-packages")
        return folder

    def _write(self, file: Path, source: bytes) -> None:
        """A time of its own for each text: Python tells stale bytecode by the second."""
        file.write_bytes(source)
        self._tick += 1
        os.utime(file, (self._tick, self._tick))


def stamps(root: Path) -> dict[str, str]:
    """The files of tests that are recorded, each with what it says: its hash, or that of its folder.

    Files that were not committed do not count.
    """
    rows = _git(root, "ls-tree", "-r", "HEAD", "--", *IN_PROCESS).splitlines()
    hashes = {name: row.split()[2] for row, _, name in (each.partition("\t") for each in rows)}
    pages = _git(root, "rev-parse", "HEAD:tests/rules").strip()
    return {
        name: pages if name.startswith("tests/rules/") else blob
        for name, blob in hashes.items()
        if Path(name).match("test_*.py") and name not in LEFT_OUT
    }


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=True
    ).stdout
