"""The tests that run a function, the cheapest and nearest first, from a record of a run of all tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tools.mutation.points import Point
from tools.mutation.record import Ran
from tools.mutation.sample import room
from tools.mutation.users import Users

MOST_SECONDS = 30.0
"""So much time of tests one change may cost, as they took when they were recorded."""

MOST_TESTS = 150


class Reach:
    """What a record says."""

    def __init__(self, root: Path, tests: Iterable[Ran]) -> None:
        self._reached: dict[str, list[Ran]] = defaultdict(list)
        for test in tests:
            for place in test.places:
                self._reached[place].append(test)
        self._users = Users(root)

    def tests(self, point: Point, files: Collection[str] | None = None) -> list[str]:
        """Names of tests that run what is changed; none when no test is known to.

        :param files: only tests of these
        """
        reached = {
            test.name: test
            for place in self._users.of(point)
            for test in self._reached.get(place, ())
            if files is None or test.name.partition("::")[0] in files
        }
        names: list[str] = []
        seconds = 0.0
        for test in _spread(reached.values(), room(point.path)):
            seconds += test.seconds
            if names and (seconds > MOST_SECONDS or len(names) == MOST_TESTS):
                break
            names.append(test.name)
        return names


def _spread(tests: Iterable[Ran], own_room: str) -> Iterator[Ran]:
    """All cases of the test functions of the room itself, then those of others, the cheapest first.

    One case of each function comes first, then its dearest, which is likely another one, then the rest.
    """
    near = f"/{own_room}/"
    cases: dict[str, list[Ran]] = defaultdict(list)
    for test in sorted(tests, key=lambda test: (test.seconds, test.name)):
        cases[test.name.partition("[")[0]].append(test)
    own = [some for name, some in cases.items() if near in name]
    others = [some for name, some in cases.items() if near not in name]
    for functions in (own, others):
        yield from (some.pop(0) for some in functions)
        yield from (some.pop() for some in functions if some)
        while any(functions):
            yield from (some.pop(0) for some in functions if some)
