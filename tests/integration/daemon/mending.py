"""What a start, a command and an end find after a command or a daemon was killed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.forked import Forked
from tests.patience import PATIENCE


class Container(Protocol):
    """One of the project; `state` is docker's word for it."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...


class Project:
    """Commands in a project, as a user whose environment is given."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self.folder = folder

    def begin(self, words: Sequence[str]) -> Forked:
        return Forked(words, self.folder, self._environ, "")

    def run(self, words: Sequence[str]) -> tuple[int, str]:
        """Exit code and last words."""
        return end(self.begin(words))


def end(command: Forked) -> tuple[int, str]:
    """Exit code and last words of a command."""
    done = command.wait(5 * PATIENCE)
    return done.returncode, (done.stdout + done.stderr)[-2000:]


def mended(
    project: Project,
    containers: Callable[[], Sequence[Container]],
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
        got, text = project.run(words)
        problems += [] if got == code else [f"{words}: {got}: {text}"]
    states = [container.state for container in containers()]
    problems += [] if states == ["running"] else [f"containers: {states}"]
    if random.random() < 0.3:
        got, text = project.run(["down"])
        problems += [] if got == 0 else [f"down: {got}: {text}"]
        left = [container.name for container in containers()]
        problems += [f"left: {left}"] if left else []
        more = {path.name for path in project.folder.iterdir()} - files
        problems += [f"files: {more}"] if more else []
    return problems
