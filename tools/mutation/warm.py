"""Runs pytest again and again, each time in a fork of this process, which has imported what is not ours.

A line of its input is a JSON object with `words`, `output` (a file) and `seconds`; it answers each with a line,
pytest's exit code, or `late`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from typing import Any

import pytest

_FOREIGN = ("docker", "h11", "hypothesis.extra", "pygls.lsp.server", "watchfiles", "yaml")


def main() -> int:
    """Serve until the input ends."""
    for name in _FOREIGN:
        importlib.import_module(name)
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
        # It imports pytest's plugins.
        pytest.main(["--version", "-p", "no:cacheprovider"])
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        process = os.fork()
        if process == 0:
            return _run(order)
        print(_ended(process, order["seconds"]), flush=True)
    return 0


def _run(order: dict[str, Any]) -> int:
    """In the fork: what this process would be if it had been started for these words."""
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, descriptor in ((0, nothing), (1, output), (2, output)):
        os.dup2(descriptor, number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    return int(pytest.main(order["words"]))


def _ended(process: int, seconds: float) -> str:
    """Wait for a fork, and end it and what it started when that takes too long."""
    handle = os.pidfd_open(process)
    try:
        late = not select.select([handle], [], [], seconds)[0]
    finally:
        os.close(handle)
    if late:
        os.killpg(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return "late" if late else str(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main())
