"""Timing whole commands against each other, interleaved, so that a busy moment hits all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """One command line to time, and the exit codes that count as having worked."""

    name: str
    arguments: tuple[str, ...]
    budget: float = 0.0
    """Most times the base's median; 0 = none."""
    expect: tuple[int, ...] = (0,)


class Result(NamedTuple):
    """Wall times of one command in milliseconds."""

    name: str
    median: float
    fastest: float
    ratio: float
    budget: float

    @property
    def kept(self) -> bool:
        return not self.budget or self.ratio <= self.budget


def compare(
    commands: Sequence[Command], environment: Mapping[str, str], folder: str, rounds: int
) -> list[Result]:
    """Time every command `rounds` times, in turn; ratios are to the first command's median.

    :raises RuntimeError: a command ends with an exit code it must not end with
    """
    times: dict[str, list[float]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        for command in commands:
            took = _once(command, environment, folder)
            if number:  # the first round fills caches
                times[command.name].append(took)
    base = statistics.median(times[commands[0].name])
    return [
        Result(
            command.name,
            statistics.median(times[command.name]),
            min(times[command.name]),
            statistics.median(times[command.name]) / base,
            command.budget,
        )
        for command in commands
    ]


def table(results: Sequence[Result]) -> str:
    """The results as a table for people."""
    width = max(len(result.name) for result in results)
    lines = [f"{'command':<{width}}   median     min  ratio  budget"]
    for result in results:
        budget = f"{result.budget:.1f}" if result.budget else "-"
        mark = "" if result.kept else "  OVER"
        lines.append(
            f"{result.name:<{width}} {result.median:6.1f}ms {result.fastest:5.1f}ms "
            f"{result.ratio:6.2f} {budget:>7}{mark}"
        )
    return "\n".join(lines)


def _once(command: Command, environment: Mapping[str, str], folder: str) -> float:
    null = os.open(os.devnull, os.O_RDWR)
    try:
        started = time.perf_counter()
        code = subprocess.run(
            command.arguments,
            cwd=folder,
            env=environment,
            stdin=null,
            stdout=null,
            stderr=null,
            check=False,
        ).returncode
        took = time.perf_counter() - started
    finally:
        os.close(null)
    if code not in command.expect:
        raise RuntimeError(f"`{' '.join(command.arguments)}` ended with exit code {code}")
    return took * 1000
