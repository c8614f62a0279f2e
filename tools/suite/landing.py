"""What a landing runs of the parts that `./dev test` leaves out: as much as there is time for.

First the parts that the changes since they last passed can reach, then the others; of each those first that passed
the longest ago.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import tiers
from tests.tiers import Part
from tools.suite import reach
from tools.suite.passed import NEVER, Passed

SECONDS = 45 * 60.0
"""The time of a landing in all, on two quiet cores."""

PROCESSES = 4
"""Processes of pytest among which whole runs share the tests, unless JOBS says otherwise."""


class Standing(NamedTuple):
    """A part of the suite before a landing."""

    name: str
    is_reached: bool
    """Whether anything changed, since it last passed, that its tests reach."""
    day: str
    """The day it last passed, '' for never."""
    seconds: float
    """The time it takes."""


class Choice(NamedTuple):
    """The parts that a landing runs, and those that it has no time for."""

    taken: tuple[Standing, ...]
    left: tuple[Standing, ...]


def choose(standings: Sequence[Standing], seconds: float) -> Choice:
    """What to run in the time there is; a part that does not fit leaves its time to smaller ones behind it."""
    taken: list[Standing] = []
    left: list[Standing] = []
    for part in sorted(standings, key=lambda part: (not part.is_reached, part.day, part.name)):
        fits = part.seconds <= seconds
        (taken if fits else left).append(part)
        seconds -= part.seconds if fits else 0
    return Choice(tuple(taken), tuple(left))


def standings(root: Path, files: Mapping[str, Any], last: Mapping[str, Passed]) -> list[Standing]:
    """All parts of `tests/tiers.toml`.

    :param files: what was recorded of each file of tests
    :param last: when each part passed
    """

    @functools.cache
    def reached(commit: str) -> frozenset[str]:
        return _reached_since(root, commit, files)

    found = []
    for part in tiers.parts():
        passed = last.get(part.name, NEVER)
        tests = reached(passed.commit)
        found.append(
            Standing(
                part.name,
                any(_holds(part, test) for test in tests),
                passed.day,
                _seconds(row for name, row in files.items() if _names(part, name)),
            )
        )
    return found


def seconds_of_promises(files: Mapping[str, Any]) -> float:
    """The time that `./dev test` takes by the last record."""
    parts = tiers.parts()
    return _seconds(
        row for name, row in files.items() if not any(_names(part, name) for part in parts)
    )


def _seconds(rows: Iterable[Mapping[str, Any]]) -> float:
    """The time of a run; a record has that of one process of several."""
    return sum((float(row["wall"]) for row in rows), 0.0) / PROCESSES


def _names(part: Part, name: str) -> bool:
    return any(tiers.names(each, name) for each in part.tests)


def _reached_since(root: Path, commit: str, files: Mapping[str, Any]) -> frozenset[str]:
    """Files of tests that the changes since a commit reach; all where git does not know it."""
    if not commit or not reach.git(root, "cat-file", "-t", commit):
        return frozenset(reach.all_tests(root))
    paths = reach.git(root, "diff", "--name-only", "--no-renames", commit)
    return frozenset(reach.reached(root, paths, files))


def _holds(part: Part, test: str) -> bool:
    return any(tiers.names(tiers.file_of(name), test) for name in part.tests)
