"""Run the suite: `./dev check`, `./dev test` with `--landing` or `--everything` (docs/testing.md)."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests import tiers
from tools.engine import private
from tools.engine.packages import InstallError
from tools.signals import end_like_ctrl_c, uninterrupted
from tools.suite import landing, passed, reach, recorded, repeat
from tools.suite.needs import Lack
from tools.suite.prepare import IN_CI, asked, prepare, say

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

REPEAT_SECONDS = 120.0
"""Time that `./dev test` has for repeating what is new; a landing has `LANDING_REPEAT_SECONDS`."""

LANDING_REPEAT_SECONDS = 300.0

LANDING_ALONE = 3
"""Failed tests of real processes that a landing tries alone before it fails by them (decision 88)."""

_MOST_NAMED = 10
"""Tests that were not repeated and are named."""

_NO_TESTS = 5
"""pytest's exit code where the tests named belong to other parts."""

OTHER_PYTHONS = (
    *(sys.executable, "-m", "tools.pythons"),
    *("-q", "-p", "no:cacheprovider", "--ignore=tests/unit/tools", QUICK, "tests/unit"),
)
"""What is shipped, on the other Pythons. What an example shows about the code it shows on the first one;
what another Python lacks or does otherwise, a few examples show too."""


def promises(lacks: Sequence[Lack], record: str = "") -> int:
    """What a user's promise hangs on, on one Python and with the same examples for everybody; the exit code."""
    if code := _repeat(_tests("promises", ""), lacks, REPEAT_SECONDS):
        return code
    with _process(_tests("promises", record), _environ(lacks)) as running:
        return running.wait()


def everything(lacks: Sequence[Lack], record: str = "") -> int:
    """All tests, as `_with_all_beside` runs them; the exit code."""
    code = _with_all_beside(_tests("everything", record), lacks)
    if not code:
        _write_passed([passed.PROMISES, *(part.name for part in tiers.parts())])
    return code


def for_landing(lacks: Sequence[Lack], record: str = "") -> int:
    """`promises`, and of the other parts what there is time for, as `_with_all_beside` runs them; the exit code."""
    files = recorded.load()
    standings = landing.standings(ROOT, files, passed.load(ROOT))
    taken, left = landing.choose(standings, landing.SECONDS - landing.seconds_of_promises(files))
    for title, parts in (("with", taken), ("no time for", left)):
        for part in parts:
            why = "changed since" if part.is_reached else "not changed since"
            say(
                f"{title} `{part.name}` ({part.seconds / 60:.0f} min): {why} it passed, {part.day or 'never'}"
            )
    words = [_option("--part", part.name) for part in taken]
    in_it = [part for part in tiers.parts() if part.name in {each.name for each in taken}]
    repeated = [*_tests("promises", ""), *words]
    if code := _repeat(repeated, lacks, LANDING_REPEAT_SECONDS, in_it):
        return code
    alone = ("--try-alone", str(LANDING_ALONE))
    code = _with_all_beside([*_tests("promises", record), *words, *alone], lacks)
    if not code:
        _write_passed([passed.PROMISES, *(part.name for part in taken)])
    return code


def _repeat(
    tests: Sequence[str], lacks: Sequence[Lack], seconds: float, taken: Sequence[tiers.Part] = ()
) -> int:
    """Repeat what is new since it last passed, as often as there is time for; the exit code.

    It comes first and prints nothing that passes: who brings a test that fails at times learns so at once, and pytest's
    summary stays the last lines.

    :param taken: the parts that the run has
    """
    new = repeat.new_of(ROOT, passed.load(ROOT), taken)
    plan = repeat.plan(new, recorded.load(), seconds * landing.PROCESSES)
    times = Counter[str]()
    end = time.monotonic() + seconds
    for names in plan.runs:
        with (
            tempfile.TemporaryFile("w+") as report,
            _process([*tests, "-q", *names], _environ(lacks), report.fileno()) as running,
        ):
            try:
                code = running.wait(max(end - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                break
            if code not in (0, _NO_TESTS):
                print(_text(report))
                say(f"{len(names)} new or changed tests, repeated: failed")
                return code
        times.update(names)
    if new:
        most = max(times.values(), default=0)
        say(f"{len(times)} of {len(new)} new or changed tests were repeated, up to {most} times")
    if missed := [name for name in new if name not in times]:
        say(f"not repeated, no time: {', '.join(missed[:_MOST_NAMED])}{_more(missed)}")
    return 0


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""


def _tests(tier: str, record: str) -> list[str]:
    own = (_option("--tier", tier), SAME)
    return [*PYTEST, *own, *_jobs(str(landing.PROCESSES)), *_recorded(record)]


def _write_passed(parts: Iterable[str]) -> None:
    """Say in the tree what passed; not in CI, whose tree nobody commits."""
    if not IN_CI and passed.write(ROOT, parts, time.strftime("%Y-%m-%d", time.gmtime())):
        say(f"wrote {passed.STORE}: commit it")


def _with_all_beside(tests: Sequence[str], lacks: Sequence[Lack]) -> int:
    """Run tests, with lint and the unit tests of the other Pythons beside them; the exit code.

    The last lines are pytest's summary, unless lint, which ends the tests, or another Python failed.
    """
    environ = _environ(lacks)
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
    return (_option("--record", folder),) if folder else ()


def _option(name: str, value: str) -> str:
    # One word: before pytest knows the options of tests/, it takes a word of its own for a path. Where there is one
    # (the part `tools`), it looks for options there and not in tests/.
    return f"{name}={value}"


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
    environ = {**os.environ, "DEV_SETUP": "skip", LACKS: json.dumps(rows)}
    # Each process of pytest compiles all tests anew where nothing may be kept: half a minute each.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ


def _are_compiled(folder: Path) -> bool:
    """Whether pytest finds each file of tests compiled since it was last written."""
    for source in folder.rglob("test_*.py"):
        compiled = list((source.parent / "__pycache__").glob(f"{source.stem}.*-pytest-*.pyc"))
        if not any(file.stat().st_mtime >= source.stat().st_mtime for file in compiled):
            return False
    return True


@contextlib.contextmanager
def _compiling() -> Iterator[None]:
    """Have pytest compile the tests, once for all processes that share them, while the block installs something."""
    if _are_compiled(ROOT / "tests"):
        yield
        return
    words = [*PYTEST, "--collect-only", "-qq", "-p", "no:cacheprovider"]
    with _process(words, _environ([]), subprocess.DEVNULL) as compiling:
        yield
        compiling.wait()


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 130 when interrupted, 4 when an installation fails in CI."""
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=promises)
    tiers_asked_for = parser.add_mutually_exclusive_group()
    for option, run, what in (
        ("--everything", everything, "all tests that there are"),
        ("--landing", for_landing, "and of the others as many as there is time for"),
    ):
        tiers_asked_for.add_argument(option, dest="run", action="store_const", const=run, help=what)
    parser.add_argument(
        "--record", metavar="FOLDER", default="", help="write there what each test costs"
    )
    asked_for = parser.parse_args(arguments)
    end_like_ctrl_c()
    try:
        if asked_for.check:
            return check(reach.choose(ROOT, recorded.load(), CHECK_SECONDS))
        with _compiling():
            lacks = prepare(asked)
        for lack in lacks:
            say(f"cannot be had here, so what needs it is skipped: {lack}")
        return int(asked_for.run(lacks, asked_for.record))
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
