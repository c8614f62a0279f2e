"""Runs programs of the machine for a step, without input and with their output as one text."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


def run(command: Sequence[str], seconds: float | None = None) -> tuple[int, str]:
    """The exit code of `command`, and what it wrote to stdout and stderr.

    :param seconds: how long it may take; None for any time
    :raises OSError: it cannot be started
    :raises subprocess.TimeoutExpired: it did not end in time, and was killed
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
    """The end of a failed program's output, as one line; without output its exit code."""
    return " ".join(output.split())[-300:] or f"exit code {code}"
