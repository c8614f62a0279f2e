"""Run the suite: all that CI runs (`./dev test`), or the part that takes a minute (`./dev check`)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tools.engine import private
from tools.engine.packages import InstallError
from tools.signals import end_like_ctrl_c, uninterrupted
from tools.suite.needs import Lack
from tools.suite.prepare import asked, prepare, say

ROOT = Path(__file__).resolve().parents[2]
LACKS = "SANDBOXD_TEST_LACKS"
"""The variable by which tests/conftest.py learns what this machine does not have."""

PYTEST = (sys.executable, "-m", "pytest", "--dist", "loadfile", "--no-loadscope-reorder")
"""A file's tests stay together and in their order, whatever runs beside them."""

LINT = (str(ROOT / "dev"), "lint")
_ENDING = ((signal.SIGINT, 20), (signal.SIGTERM, 5), (signal.SIGKILL, 5))
"""Signals to a program that is to end early, and the seconds that each is given."""

QUICK = ("--hypothesis-profile=quick", "tests/unit")
"""Fewer examples of each property than `./dev test` tries."""

OTHER_PYTHONS = (
    *(sys.executable, "-m", "tools.pythons"),
    *("-q", "-p", "no:cacheprovider", "--ignore=tests/unit/tools", *QUICK),
)
"""What is shipped, on the other Pythons. What an example shows about the code it shows on the first one;
what another Python lacks or does otherwise, a few examples show too."""


def everything(lacks: Sequence[Lack]) -> int:
    """All tests, with lint and the unit tests of the other Pythons beside them; the exit code.

    The last lines are pytest's summary, unless lint, which ends the tests, or another Python failed.
    """
    environ = _environ(lacks)
    tests = [*PYTEST, "--again", "-n", os.environ.get("JOBS", "4")]
    # The tests mostly wait: for engines, editors, sandboxes. The others use that time.
    with (
        tempfile.TemporaryFile("w+") as report,
        _process(tests, environ) as running,
        _process(OTHER_PYTHONS, environ, report.fileno()) as beside,
        tempfile.TemporaryFile("w+") as faults,
        _process(LINT, environ, faults.fileno()) as lint,
    ):
        if lint.wait():
            _end(running)
            print(_text(faults))
            return 1
        code = running.wait()
        if beside.wait():
            print(_text(report))
            code = code or 1
    return code


def quick() -> int:
    """Lint and types beside the unit tests; the exit code."""
    environ = _environ([])
    with tempfile.TemporaryFile("w+") as report:
        tests = [*PYTEST, "-q", "-n", os.environ.get("JOBS", "2"), *QUICK]
        with (
            _process(LINT, environ, report.fileno()) as lint,
            _process(tests, environ) as running,
        ):
            code = running.wait()
            failed = lint.wait()
        print(_text(report))
    return code or int(failed != 0)


def _text(report: IO[str]) -> str:
    report.seek(0)
    return report.read()


def sweep() -> None:
    """Stop the engines whose tests are gone."""
    if os.geteuid() == 0:
        private.sweep()


@contextlib.contextmanager
def _process(
    words: Sequence[str], environ: Mapping[str, str], output: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of the suite without a terminal; at the end of the block it has ended.

    It leads a session of its own: what it started ends with it, and nothing of it can ask at the terminal.
    """
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that runs, with its group, and wait until it has."""
    with uninterrupted():
        # pytest takes its fixtures down after an interrupt, unless it was started to ignore it.
        for number, seconds in _ENDING:
            if process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)


def _environ(lacks: Sequence[Lack]) -> dict[str, str]:
    rows = [{"text": str(lack), "markers": lack.markers} for lack in lacks]
    return {**os.environ, "DEV_SETUP": "skip", LACKS: json.dumps(rows)}


def main(arguments: Sequence[str]) -> int:
    """Run `everything` or `quick`; 130 when interrupted, 4 when an installation fails in CI."""
    end_like_ctrl_c()
    try:
        if arguments == ["quick"]:
            return quick()
        lacks = prepare(asked)
        for lack in lacks:
            say(f"cannot be had here, so what needs it is skipped: {lack}")
        return everything(lacks)
    except InstallError as error:
        say(f"error: {error}")
        return 4
    except KeyboardInterrupt:
        return 130
    finally:
        with uninterrupted():
            sweep()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
