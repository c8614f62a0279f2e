"""pytest in the clone of a trial: many runs in forks of one process, or one in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tools.mutation import warm

LONGEST_SECONDS = 600.0
"""Of the tests of one change, which take half a minute."""

LATE = -1000
"""In place of an exit code: the tests did not end in time."""


class Runner:
    """Runs pytest with the interpreter `python` in the folder `root`."""

    def __init__(self, python: Path, root: Path, output: Path) -> None:
        """:param output: the file that a run writes into"""
        self._python = python
        self._root = root
        self._output = output
        self._process: subprocess.Popen[str] | None = None

    def once(self, words: Sequence[str]) -> None:
        """Run pytest from its start, however long that takes."""
        subprocess.run(
            [self._python, "-m", "pytest", *words],
            cwd=self._root,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def run(self, words: Sequence[str]) -> tuple[int, str]:
        """Exit code, or `LATE`, and output."""
        process = self._process = self._process or self._start()
        order = {"words": list(words), "output": str(self._output), "seconds": LONGEST_SECONDS}
        print(json.dumps(order), file=_pipe(process.stdin), flush=True)
        answer = _pipe(process.stdout).readline().strip()
        output = self._output.read_text(encoding="utf-8", errors="replace")
        return (LATE if answer == "late" else int(answer)), output

    def end(self) -> None:
        """End the process that is forked."""
        if self._process is not None:
            _pipe(self._process.stdin).close()
            self._process.wait()
            _pipe(self._process.stdout).close()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self._python, warm.__file__],
            cwd=self._root,
            env=_environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _environ() -> dict[str, str]:
    """Bytecode is written, whatever the caller does: all but one file is the same in every run."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "HYPOTHESIS_PROFILE": "default"}


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
