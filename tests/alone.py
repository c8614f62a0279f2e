"""`--try-alone N`: whether a test of real processes that failed beside others passes alone, for the run of a landing.

One that does fails at times, as those of tests/quarantine.toml do, and counts as one of them (decision 88). Tests of
units are never tried again, and none is where more than N failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

FOLDERS = ("tests/e2e/", "tests/integration/")
"""Where tests are of real processes, whose failure may be one of time."""

SECONDS = 600.0
"""The most that one of them has alone."""

_COMMAND = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")


class Failure(NamedTuple):
    """A failed test, with the whole report for whoever mends it."""

    report: pytest.TestReport
    text: str


class Alone:
    """A plugin of pytest, in the process that gets all reports.

    :param most: failed tests that are tried
    :param passes: whether a test passes alone
    """

    def __init__(self, most: int, passes: Callable[[str], bool]) -> None:
        self._most, self._passes = most, passes
        self._held: list[Failure] = []
        self._excused: list[Failure] = []
        self._is_over = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Any:
        """Hold a failure back until the end, unless it is one too many.

        Not one of a teardown, in which fixtures of other tests end, too.
        """
        of_processes = report.nodeid.startswith(FOLDERS) and report.when != "teardown"
        if report.failed and of_processes and len(self._held) < self._most:
            self._held.append(Failure(report, report.longreprtext))
            report.outcome, report.wasxfail = "skipped", "failed, and is tried alone at the end"
        elif report.failed:
            self._is_over = True
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Try what was held back, now that nothing runs beside it, and count what fails again as failed."""
        if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._is_over = True
        for failure in self._held:
            if not self._is_over and self._passes(failure.report.nodeid):
                self._excused.append(failure)
            else:
                self._count(session, failure.report)

    def _count(self, session: pytest.Session, report: pytest.TestReport) -> None:
        terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        stats = terminal.stats
        stats["xfailed"].remove(report)
        del report.wasxfail
        report.outcome = "failed"
        stats.setdefault("failed" if report.when == "call" else "error", []).append(report)
        session.testsfailed += 1
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name what passed alone, with its whole report and the row that it has to have."""
        if not self._excused:
            return
        title = f"FAILS AT TIMES: {len(self._excused)} failed beside others and passed alone"
        terminalreporter.section(title, sep="!", red=True)
        for failure in self._excused:
            terminalreporter.write_line(f"{failure.report.nodeid}\n{failure.text}\n")
        terminalreporter.write_line("mend each, or commit its row to tests/quarantine.toml:")
        for failure in self._excused:
            terminalreporter.write_line(f"\n{_row(failure)}")


def _row(failure: Failure) -> str:
    name, day = failure.report.nodeid, time.strftime("%Y-%m-%d", time.gmtime())
    lines = [line[1:].strip() for line in failure.text.splitlines() if line.startswith("E ")]
    seen = f"in a landing, and passed alone: {(lines or ['no reason'])[0][:150]}"
    words = [json.dumps(word, ensure_ascii=False) for word in (name, seen)]
    return f"[[test]]\nname = {words[0]}\nsince = {day}\nseen = {words[1]}"


def passes(test: str, command: Sequence[str] = _COMMAND) -> bool:
    """Whether a test passes with nothing else of the suite beside it."""
    try:
        done = subprocess.run([*command, test], check=False, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--try-alone",
        metavar="N",
        type=int,
        default=0,
        help="try up to N failed tests of real processes alone at the end",
    )


def pytest_configure(config: pytest.Config) -> None:
    most = config.getoption("--try-alone")
    if most and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Alone(most, passes), "alone")
