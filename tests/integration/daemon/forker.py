"""Runs commands by forking a process that has everything imported, so that one costs milliseconds.

A program of its own, which is told what to do by lines on its input: `run` and `begin` with the words
of a command as JSON, `wait` with a pid. It answers with a number each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.patience import PATIENCE

_OUTPUT = "forker.out"


class Forker:
    """The test's side of it; a context manager."""

    def __init__(self, environ: dict[str, str], project: Path) -> None:
        self._output = project.parent / _OUTPUT
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(self._output)],
            env=environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Forker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def run(self, words: list[str]) -> int:
        """The exit code of a command."""
        return self._ask("run", words)

    def begin(self, words: list[str]) -> int:
        """The pid of a command that has just begun."""
        return self._ask("begin", words)

    def wait(self, pid: int) -> int:
        """The exit code of a command that was begun; negative: the signal that ended it."""
        return self._ask("wait", pid)

    def output(self) -> str:
        """The last words of all commands together."""
        return self._output.read_text()[-2000:]

    def _ask(self, what: str, value: Any) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, value]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def main(output: str) -> None:
    from sandboxd.cli import main as command_line
    from sandboxd.cli import through_daemon  # noqa: F401
    from sandboxd.engine import client  # noqa: F401
    from sandboxd.host import probe  # noqa: F401
    from sandboxd.life import up_down  # noqa: F401
    from sandboxd.operations import exec, start, stop  # noqa: F401
    from sandboxd.project import Project  # noqa: F401

    def begin(words: list[str]) -> int:
        pid = os.fork()
        if pid == 0:
            target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(target, 1)
            os.dup2(target, 2)
            os._exit(command_line.run(words))
        return pid

    def wait(pid: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    for line in sys.stdin:
        what, value = json.loads(line)
        answer = wait(value) if what == "wait" else begin(value)
        print(wait(answer) if what == "run" else answer, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
