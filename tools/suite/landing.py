"""What a landing runs of the parts that `./dev test` leaves out: as much as there is time for.

First the parts that the changes since they last passed can reach, then the others; of each those first that passed
the longest ago.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import tiers
from tests.tiers import Part
from tools.suite import reach
from tools.suite.passed import NEVER, Passed

SECONDS = 45 * 60.0
"""The time of a landing in all, on two quiet cores."""

NEW_FILE_SECONDS = 30.0
"""The time that a file or case without a record counts for."""

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
                _seconds(root, part, files),
            )
        )
    return found


def seconds_of_promises(files: Mapping[str, Any]) -> float:
    """The time that `./dev test` takes by the last record."""
    parts = tiers.parts()
    later = {name for name in files if any(_names(part, name) for part in parts)}
    return sum((float(files[name]["processor"]) for name in files.keys() - later), 0.0)


def _seconds(root: Path, part: Part, files: Mapping[str, Any]) -> float:
    """The time that a part takes, by the processor time of the last record.

    That depends least on what else the machine did. On two cores it is about the time that a run takes: half of
    it waits.
    """
    total = sum((float(row["processor"]) for name, row in files.items() if _names(part, name)), 0.0)
    recorded = {tiers.file_of(name) for name in files}
    tests = [test for test in reach.all_tests(root) if _names(part, test)]
    # Cases that a part names by themselves have a row by that name.
    new = {test for test in tests if test not in recorded}
    new |= {name for name in part.tests if "::" in name and name not in files}
    return total + len(new) * NEW_FILE_SECONDS


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
