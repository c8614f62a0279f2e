"""Try changes in a clone of the checkout: a test that fails has noticed one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.mutation.concern import Suite
from tools.mutation.points import Point
from tools.mutation.reach import Reach

_OPTIONS = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_USAGE = 4
_NO_TESTS = 5
_LONGEST_SECONDS = 600.0
"""Of the tests of one change, which take half a minute."""

IN_PROCESS = ("tests/unit", "tests/rules", "tests/contract")
PROCESSES = ("tests/integration",)


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

    def __init__(self, source: Path, folder: Path) -> None:
        subprocess.run(["git", "clone", "-q", "--shared", source, folder / "clone"], check=True)
        self.root = folder / "clone"
        self.tests = Suite(self.root)
        self.red: tuple[str, ...] = ()
        """Tests that fail on the code as it is, or do not fail again."""
        self._reach: Reach | None = None
        self._green: dict[str, bool] = {}
        self._tick = int(time.time())
        self._venv = folder / "venv"
        self._make_interpreter()

    def know(self, record: Path, folders: Sequence[str]) -> None:
        """Know which of the tests in `folders` runs which function.

        :param record: where that is written down; it is made when it is missing
        """
        if not record.exists():
            folder = self._venv / "record"
            folder.mkdir()
            hook = self._packages() / "recorder.pth"
            hook.write_text(
                f"import sys; sys.path[:0] = [{str(self.root)!r}]; "
                "from tools.mutation import recorder; sys.path.pop(0); "
                f"recorder.start({str(self.root)!r}, {str(folder)!r})\n"
            )
            words = ["-q", "--no-header", "--tb=no", "-p", "tools.mutation.plugin", *folders]
            self._pytest(words, None)
            hook.unlink()
            shutil.move(folder / "reach", record)
        self._reach = Reach(self.root, record.read_text(encoding="utf-8"))

    def attempt(self, point: Point) -> Outcome:
        """Change one point, run the tests that concern it, and put the file back.

        A test that fails without the change, too, or does not fail again with it, has noticed nothing
        and is left out from then on.
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
            while (test := self._noticed(point)) and "::" in test:
                if self._pytest([*_OPTIONS, test]).returncode:
                    break
                self.red += (test,)
            return test
        finally:
            self._write(file, source)

    def _passes(self, test: str) -> bool:
        """Whether a test passes on the code as it is; each is asked once."""
        if test not in self._green and "::" in test:
            self._green[test] = self._pytest([*_OPTIONS, test]).returncode == 0
        return self._green.get(test, True)

    def _noticed(self, point: Point) -> str:
        for words in self._words(point):
            if words:
                done = self._pytest([*_OPTIONS, *words])
                if done.returncode == _USAGE:
                    # A case that is made from what was changed has another name now.
                    files = dict.fromkeys(word.partition("::")[0] for word in words)
                    done = self._pytest([*_OPTIONS, *files])
                if done.returncode not in (0, _NO_TESTS):
                    failed = _FAILED.findall(done.stdout)
                    return failed[0] if failed else "pytest itself"
        return ""

    def _words(self, point: Point) -> list[list[str]]:
        """What pytest is to run, one after the other."""
        names = self._reach.tests(point) if self._reach is not None else []
        if names:
            return [[name for name in names if name not in self.red]]
        near = self.tests.near(point.path)
        return [near, [f for f in self.tests.far(point.path) if f not in near or "-k" in near]]

    def _pytest(
        self, words: list[str], longest: float | None = _LONGEST_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        skipped = [word for test in self.red for word in ("--deselect", test)]
        command = [str(self._venv / "bin/python"), "-m", "pytest", *words, *skipped]
        environ = {**os.environ, "HYPOTHESIS_PROFILE": "default"}
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
                timeout=longest,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "FAILED (no end in time)", "")

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
