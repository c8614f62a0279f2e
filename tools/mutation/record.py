"""Which functions of the package each test runs, kept from one run to the next for each file of tests.

A file of tests that has changed is recorded again, the others are not. Functions are named, so that a record
outlives changes of the code: a function that is new to it has no tests here (see `concern`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Ran(NamedTuple):
    """A test that was recorded."""

    name: str
    seconds: float
    places: tuple[str, ...]
    """The functions that it ran, as `sandboxd/text.py:SourceText.position`."""


class Record:
    """The record in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, tuple[str, list[Ran]]] = dict(_load(path)) if path.exists() else {}

    def tests(self) -> Iterator[Ran]:
        """All that is recorded."""
        for _, tests in self._files.values():
            yield from tests

    def changed(self, stamps: Mapping[str, str]) -> list[str]:
        """Those of the files of tests that are not recorded as they are now."""
        return [file for file, stamp in stamps.items() if self._stamp(file) != stamp]

    def take(self, recorded: str, stamps: Mapping[str, str]) -> None:
        """Keep what the recorder wrote about these files, and forget files that are gone."""
        found = defaultdict(list)
        for test in parse(recorded):
            found[test.name.partition("::")[0]].append(test)
        for file in self.changed(stamps):
            self._files[file] = stamps[file], found[file]
        self._files = {file: self._files[file] for file in stamps}
        self._save()

    def _stamp(self, file: str) -> str:
        return self._files[file][0] if file in self._files else ""

    def _save(self) -> None:
        numbers: dict[str, int] = {}
        rows = []
        for file, (stamp, tests) in self._files.items():
            some = [
                (name, seconds, [numbers.setdefault(place, len(numbers)) for place in places])
                for name, seconds, places in tests
            ]
            rows.append(json.dumps([file, stamp, some]))
        text = "\n".join([json.dumps(list(numbers)), *rows])
        self._path.write_text(text, encoding="utf-8")


def _load(path: Path) -> Iterator[tuple[str, tuple[str, list[Ran]]]]:
    """Files of tests, each with its stamp and its tests."""
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    places: Sequence[str] = json.loads(first)
    for file, stamp, tests in map(json.loads, rows):
        some = [
            Ran(name, seconds, tuple(places[number] for number in numbers))
            for name, seconds, numbers in tests
        ]
        yield file, (stamp, some)


def parse(recorded: str) -> Iterator[Ran]:
    """The tests of which the recorder wrote down the end."""
    places: dict[str, set[str]] = defaultdict(set)
    for line in recorded.splitlines():
        number, _, rest = line.partition(" ")
        if rest.startswith("= "):
            _, seconds, name = rest.split(" ", 2)
            yield Ran(name, float(seconds), tuple(sorted(places.pop(number, ()))))
        else:
            places[number].add(rest)
