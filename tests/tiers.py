"""Which tests a whole run has (`--tier`, `--part`), in which order, and which may fail: read from two lists.

`tests/tiers.toml` names what `./dev test` leaves to `./dev test --everything`, `tests/quarantine.toml` the tests
that fail at times. Both count in whole runs alone: a test that is named runs, and fails when it fails.
"""

from __future__ import annotations

import functools
import json
import os
import tomllib
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "tests"
RECORDED = ROOT / "tests" / "data" / "recorded-run.json"
_UNITS = "tests/unit/"
PROMISES, EVERYTHING = "promises", "everything"


class Part(NamedTuple):
    """Tests that `./dev test` leaves out."""

    name: str
    what: str
    tests: tuple[str, ...]
    """Folders, files or tests, as pytest names them; `FILE::[ID]`: the cases of a file that have ID in their id."""
    beside: str = ""
    """A marker of tests that show the same by other means: where this machine lacks those, `./dev test` runs these."""


class Quarantined(NamedTuple):
    """A test that fails at times for a reason that is not known or not mended yet."""

    test: str
    """A test, or a file of tests, as pytest names them; without parameters it means all of its cases."""
    since: str
    """The day it was put there."""
    seen: str
    """How it failed."""


def parts(folder: Path = LISTS) -> tuple[Part, ...]:
    """The parts of `tiers.toml`."""
    rows = tomllib.loads((folder / "tiers.toml").read_text(encoding="utf-8"))
    return tuple(
        Part(name, row["what"], tuple(row["tests"]), row.get("beside", ""))
        for name, row in rows.items()
    )


def quarantine(folder: Path = LISTS) -> tuple[Quarantined, ...]:
    """The tests of `quarantine.toml`."""
    rows = tomllib.loads((folder / "quarantine.toml").read_text(encoding="utf-8"))["test"]
    return tuple(Quarantined(row["name"], str(row["since"]), row["seen"]) for row in rows)


def names(name: str, test: str) -> bool:
    """Whether a folder, file, test or case that a list names is `test`, or holds it."""
    file, _, case = name.partition("::[")
    if case:
        return test == name or (
            test.startswith(f"{file}::") and case.rstrip("]") in _case(test).split("-")
        )
    return test == name or test.startswith((f"{name}/", f"{name}::", f"{name}["))


def _case(test: str) -> str:
    return test.partition("[")[2].rstrip("]")


def lacked() -> frozenset[str]:
    """Markers of tests whose means this machine does not have, as `./dev test` found."""
    lacks = json.loads(os.environ.get("SANDBOXD_TEST_LACKS", "[]"))
    return frozenset(marker for lack in lacks for marker in lack["markers"])


class Tier:
    """A plugin of pytest: the tests of one tier, those first that take longest."""

    def __init__(self, tier: str, later: Sequence[Part], excused: Sequence[Quarantined]) -> None:
        lacks = lacked()
        parts = [] if tier == EVERYTHING else [part for part in later if part.beside not in lacks]
        self._later = [name for part in parts for name in part.tests]
        self._excused = excused
        self._by_file: dict[str, list[str]] = {}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out whole files and folders without reading them."""
        if not collection_path.is_relative_to(ROOT):
            return None
        path = collection_path.relative_to(ROOT).as_posix()
        return True if any(names(name, path) for name in self._later) else None

    def _of(self, file: str) -> list[str]:
        """The names of what is left out that can mean a test of a file."""
        if file not in self._by_file:
            self._by_file[file] = [n for n in self._later if names(file_of(n), file)]
        return self._by_file[file]

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        left = [i for i in items if any(names(n, i.nodeid) for n in self._of(file_of(i.nodeid)))]
        if left:
            config.hook.pytest_deselected(items=left)
        kept = [item for item in items if item not in set(left)]
        times = recorded_times()
        items[:] = sorted(kept, key=lambda item: -_seconds(file_of(item.nodeid), times))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a failure of a quarantined test be counted as an expected one.

        Not one of its teardown, in which fixtures of all tests of the process end, too.
        """
        report = yield
        row = self.row(item.nodeid)
        if row and report.when != "teardown" and not report.skipped:
            failed = report.failed
            if failed or report.when == "call":
                report.wasxfail = f"in quarantine since {row.since}"
            if failed:
                report.outcome = "skipped"
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name each quarantined test with its outcome, and what failed with its whole report."""
        stats: Mapping[str, list[pytest.TestReport]] = terminalreporter.stats
        failed = [r for r in stats.get("xfailed", ()) if self.row(r.nodeid)]
        passed = [r for r in stats.get("xpassed", ()) if self.row(r.nodeid)]
        if not failed and not passed:
            return
        title = f"QUARANTINE: {len(failed)} failed, {len(passed)} passed (tests/quarantine.toml)"
        terminalreporter.section(title, sep="!")
        for report in failed:
            terminalreporter.write_line(f"{report.nodeid}\n{report.longreprtext}\n")
        for word, reports in (("failed", failed), ("passed", passed)):
            for report in reports:
                terminalreporter.write_line(f"{word}: {report.nodeid}")

    def row(self, test: str) -> Quarantined | None:
        """The entry of the quarantine that means `test`."""
        return next((row for row in self._excused if names(row.test, test)), None)


def file_of(test: str) -> str:
    """The file that a test is in."""
    return test.split("::", maxsplit=1)[0]


@functools.cache
def recorded_times() -> Mapping[str, float]:
    """Seconds that each file of tests took when it was last recorded (docs/testing.md)."""
    times: dict[str, float] = {}
    for name, row in json.loads(RECORDED.read_text(encoding="utf-8"))["files"].items():
        times[file_of(name)] = times.get(file_of(name), 0.0) + row["wall"]
    return times


def _seconds(file: str, times: Mapping[str, float]) -> float:
    """What a file takes; one that nobody has recorded yet may be a long one, unless it is of units."""
    return times.get(file, 0.0 if file.startswith(_UNITS) else 1e9)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--tier`, which whole runs give, and `--part`."""
    parser.addoption(
        "--tier",
        choices=(PROMISES, EVERYTHING),
        help="the tests of a whole run: tests/tiers.toml and tests/quarantine.toml count",
    )
    parser.addoption(
        "--part",
        action="append",
        default=[],
        help="a part of tests/tiers.toml that runs with `--tier promises`",
    )


def pytest_configure(config: pytest.Config) -> None:
    tier = config.getoption("--tier")
    if tier:
        later = [part for part in parts() if part.name not in config.getoption("--part")]
        config.pluginmanager.register(Tier(tier, later, quarantine()), "tier")
