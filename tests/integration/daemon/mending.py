"""What a start, a command and an end find after a command or a daemon was killed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tests.integration.daemon.forker import Forker


class Container(Protocol):
    """One of the project; `state` is docker's word for it."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...


def mended(
    forker: Forker,
    containers: Callable[[], Sequence[Container]],
    project: Path,
    files: set[str],
    *options: str,
) -> list[str]:
    """The problems, [] for none; in every third case the sandbox is ended, too.

    :param containers: those of the project that are there
    :param files: all that may be in the project without a sandbox
    :param options: of `up`
    """
    problems = []
    for words, code in ((["up", *options], 0), (["exec", "-n", "--", "sh", "-c", "exit 7"], 7)):
        got = forker.run(words)
        problems += [] if got == code else [f"{words}: {got}: {forker.output()}"]
    states = [container.state for container in containers()]
    problems += [] if states == ["running"] else [f"containers: {states}"]
    if random.random() < 0.3:
        got = forker.run(["down"])
        problems += [] if got == 0 else [f"down: {got}: {forker.output()}"]
        left = [container.name for container in containers()]
        problems += [f"left: {left}"] if left else []
        more = {path.name for path in project.iterdir()} - files
        problems += [f"files: {more}"] if more else []
    return problems
