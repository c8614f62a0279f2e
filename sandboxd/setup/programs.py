"""Runs system programs for a step, without input, with stdout and stderr as one text."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


def run(command: Sequence[str], seconds: float | None = None) -> tuple[int, str]:
    """The exit code of `command`, and its output on stdout and stderr.

    :param seconds: the time limit; None for none
    :raises OSError: it cannot be started
    :raises subprocess.TimeoutExpired: the limit passed, and the program was killed
    """
    process = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    return process.returncode, process.stdout


def last_words(code: int, output: str) -> str:
    """The end of a failed program's output as one line; if there is none, its exit code."""
    return " ".join(output.split())[-300:] or f"exit code {code}"
