"""Run the suite: `./dev check`, `./dev test`, `./dev test --everything` (docs/testing.md)."""

from __future__ import annotations

import argparse
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
from tools.suite import reach, recorded
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

SAME = "--hypothesis-profile=same"
"""The same examples in each run: what a rare one shows is looked for by `./dev test PATH`, and stops no landing."""

QUICK = "--hypothesis-profile=quick"
"""Fewer examples of each property than `./dev test` tries."""

CHECK_SECONDS = 80.0
"""Processor time that the unit tests of `./dev check` have: on two cores it ends within the minute."""

OTHER_PYTHONS = (
    *(sys.executable, "-m", "tools.pythons"),
    *("-q", "-p", "no:cacheprovider", "--ignore=tests/unit/tools", QUICK, "tests/unit"),
)
"""What is shipped, on the other Pythons. What an example shows about the code it shows on the first one;
what another Python lacks or does otherwise, a few examples show too."""


def promises(lacks: Sequence[Lack], record: str = "") -> int:
    """What a user's promise hangs on, on one Python and with the same examples for everybody; the exit code."""
    tests = [
        *PYTEST,
        "--tier",
        "promises",
        SAME,
        *_jobs("4"),
        *_recorded(record),
    ]
    with _process(tests, _environ(lacks)) as running:
        return running.wait()


def everything(lacks: Sequence[Lack], record: str = "") -> int:
    """All tests, with lint and the unit tests of the other Pythons beside them; the exit code.

    The last lines are pytest's summary, unless lint, which ends the tests, or another Python failed.
    """
    environ = _environ(lacks)
    tests = [*PYTEST, "--tier", "everything", SAME, *_jobs("4"), *_recorded(record)]
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


def check(choice: reach.Choice) -> int:
    """Lint and types beside the unit tests that were chosen; the exit code."""
    environ = _environ([])
    count = f"{len(choice.files)} files of unit tests" if choice.files else "no unit test"
    say(f"{choice.why}: lint, types and {count}")
    with (
        tempfile.TemporaryFile("w+") as report,
        _process(LINT, environ, report.fileno()) as lint,
    ):
        code = _unit_tests(choice.files, environ) if choice.files else 0
        failed = lint.wait()
        print(_text(report))
    if choice.left:
        say(f"{len(choice.left)} files of unit tests were left out, which the change reaches from")
        say("farther away than a minute allows: `./dev test tests/unit`")
    return code or int(failed != 0)


def _unit_tests(files: Sequence[str], environ: Mapping[str, str]) -> int:
    with _process([*PYTEST, "-q", *_jobs("2"), QUICK, *files], environ) as running:
        return running.wait()


def _jobs(default: str) -> tuple[str, str]:
    return ("-n", os.environ.get("JOBS", default))


def _recorded(folder: str) -> tuple[str, ...]:
    # One word: pytest takes a word of its own for a path of tests, whatever stands before it.
    return (f"--record={folder}",) if folder else ()


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
    """Run what is asked for; 130 when interrupted, 4 when an installation fails in CI."""
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--everything", action="store_true", help="all tests that there are")
    parser.add_argument(
        "--record", metavar="FOLDER", default="", help="write there what each test costs"
    )
    asked_for = parser.parse_args(arguments)
    end_like_ctrl_c()
    try:
        if asked_for.check:
            return check(reach.choose(ROOT, recorded.processor_seconds(), CHECK_SECONDS))
        lacks = prepare(asked)
        for lack in lacks:
            say(f"cannot be had here, so what needs it is skipped: {lack}")
        run = everything if asked_for.everything else promises
        return run(lacks, asked_for.record)
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
