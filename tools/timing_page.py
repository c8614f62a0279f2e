"""docs/testing.md: how the tests are run, and where the time of a recorded run goes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tests import tiers
from tools.suite import recorded

_ROOMS = ("unit", "rules", "contract", "integration", "e2e", "cluster")
_ROWS = 15

_HEAD = """# Testing

| command | runs | takes on two quiet cores |
|---|---|---|
| `./dev check` | lint, types, and the unit tests that your change reaches by imports, the nearest first | a minute |
| `./dev test` | what a promise to users hangs on, on one Python, with the same examples for everybody | a quarter of an hour |
| `./dev test --landing` | the same, with lint, types and the other Pythons beside it, and of all other tests those that the changes reach or that nobody ran for longest; CI runs this | three quarters of an hour |
| `./dev test --everything` | all tests, with lint, types and the other Pythons beside them | an hour and a quarter |
| `./dev test PATH` | these tests and nothing more | |

A test is part of `./dev test` unless [tests/tiers.toml](../tests/tiers.toml) names it. No failed test is run
again, but by a landing, which tries up to three alone, names those that pass, and asks for their row in the quarantine.
One that fails at times is named in [tests/quarantine.toml](../tests/quarantine.toml): whole runs run it and print its
outcome at their end, and do not fail with it; `./dev test PATH` does. [tests/passed.toml](../tests/passed.toml) says
when each part last passed. A run first repeats its tests that are new or changed since then, ten times, those with an
engine three times: two minutes of that in `./dev test`, five in a landing, and what was not reached is named. The
reasons are in decisions [70](decisions/0070-a-failed-test-has-failed.md),
[80](decisions/0080-a-landing-runs-what-there-is-time-for.md) and
[88](decisions/0088-a-landing-tells-what-fails-at-times.md).

`--record FOLDER` with any of them writes what each test, fixture and process costs.
`python -m tools.suite.recorded FOLDER` takes it over, and `./dev docs` makes this page. Whole runs begin with the
files that took longest. Processor time is that of the tests, of all that they start, and of their containers; wall
time is that of one test process and grows with whatever else the machine does.
"""


def page() -> str:
    """The text of docs/testing.md."""
    files = recorded.load()
    return "\n".join(
        [
            _HEAD,
            "## Where the time goes\n",
            *_tiers(files),
            *_rooms(files),
            *_longest(files),
            *_shared(files, "fixtures", "Fixtures", "fixture (scope)"),
            *_shared(files, "processes", "Programs that tests start and wait for", "program"),
            *_quarantine(),
        ]
    )


def _tiers(files: Mapping[str, Any]) -> Iterable[str]:
    yield "| part of the suite | what it has | files | tests | processor, s | wall, s |"
    yield "|---|---|--:|--:|--:|--:|"
    left = set(files)
    for part in tiers.parts():
        taken = [name for name in files if any(tiers.names(n, name) for n in part.tests)]
        left -= set(taken)
        yield _row(part.name, part.what, [files[name] for name in taken])
    yield _row(
        "`./dev test`",
        "all that no part above names",
        [files[name] for name in files if name in left],
    )
    yield ""
    yield "Files that are newer than the record, or that it did not reach, have no figures.\n"


def _rooms(files: Mapping[str, Any]) -> Iterable[str]:
    yield "| folder | files | tests | processor, s | wall, s |"
    yield "|---|--:|--:|--:|--:|"
    for room in _ROOMS:
        rows = [file for name, file in files.items() if name.startswith(f"tests/{room}/")]
        if rows:
            yield _row(f"tests/{room}", "", rows).replace(" |  | ", " | ")
    yield ""


def _longest(files: Mapping[str, Any]) -> Iterable[str]:
    yield f"The {_ROWS} files that take longest:\n"
    yield "| file | tests | processor, s | wall, s |"
    yield "|---|--:|--:|--:|"
    for name, file in sorted(files.items(), key=lambda item: -item[1]["wall"])[:_ROWS]:
        yield f"| {name} | {file['tests']} | {file['processor']:.0f} | {file['wall']:.0f} |"
    yield ""


def _shared(files: Mapping[str, Any], key: str, title: str, column: str) -> Iterable[str]:
    yield f"{title}, all files together:\n"
    yield f"| {column} | times | processor, s | wall, s |"
    yield "|---|--:|--:|--:|"
    total = recorded.by_key(files.values(), key)
    rows = sorted(total.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))[:_ROWS]
    for name, (count, wall, processor) in rows:
        yield f"| {name} | {count:.0f} | {processor:.0f} | {wall:.0f} |"
    yield ""


def _quarantine() -> Iterable[str]:
    yield "## In quarantine\n"
    yield "| test | since | seen |"
    yield "|---|---|---|"
    for row in tiers.quarantine():
        yield f"| `{row.test.removeprefix('tests/')}` | {row.since} | {row.seen} |"
    yield ""


def _row(name: str, what: str, rows: list[Any]) -> str:
    # Not `sum`, which rounds otherwise from Python 3.12 on.
    tests, processor, wall = (math.fsum(row[key] for row in rows) for key in _FIGURES)
    return f"| {name} | {what} | {len(rows)} | {tests:.0f} | {processor:.0f} | {wall:.0f} |"


_FIGURES = ("tests", "processor", "wall")
