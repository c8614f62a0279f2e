"""What `./dev check` and `./dev test` run, and what of that has to pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.sandboxes import open_to_user
from tests.integration.daemon.world import alive
from tests.patience import eventually
from tools.suite import landing, passed, reach, run
from tools.suite.landing import Standing
from tools.suite.needs import Lack


def program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


SLEEPS = program("import sys, time; print('tests', sys.argv[1:]); time.sleep(600)")
FAILS = program("print('weak'); raise SystemExit(1)")
PASSES = program("pass")


@pytest.mark.parametrize(
    ("tests", "lint", "others", "code", "shown"),
    [
        (PASSES, PASSES, PASSES, 0, ""),
        (program("raise SystemExit(5)"), PASSES, PASSES, 5, ""),
        (PASSES, PASSES, FAILS, 1, "weak"),
        (SLEEPS, FAILS, SLEEPS, 1, "weak"),
    ],
)
def test_all_that_ci_runs_has_to_pass_and_a_fault_of_lint_ends_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tests: tuple[str, ...],
    lint: tuple[str, ...],
    others: tuple[str, ...],
    code: int,
    shown: str,
) -> None:
    monkeypatch.setattr(run, "PYTEST", tests)
    monkeypatch.setattr(run, "LINT", lint)
    monkeypatch.setattr(run, "OTHER_PYTHONS", others)
    assert run.everything([]) == code
    assert capsys.readouterr().out.strip() == shown


@pytest.mark.parametrize("code", [0, 5])
def test_the_tests_of_the_promises_are_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    monkeypatch.setattr(passed, "load", lambda _root: {})
    shows = "import sys; print(*sys.argv[1:]); sys.exit({})"
    monkeypatch.setattr(run, "PYTEST", program(shows.format(code)))
    monkeypatch.setattr(run, "LINT", FAILS)
    monkeypatch.setattr(run, "OTHER_PYTHONS", FAILS)
    assert run.promises([], "here") == code
    words = capfd.readouterr().out.split()
    assert words[:2] == ["--tier=promises", "--hypothesis-profile=same"]
    assert words[-1] == "--record=here"


@pytest.mark.parametrize(("code", "written"), [(0, ["promises", "tools"]), (5, [])])
def test_a_landing_is_the_promises_and_the_parts_for_which_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    code: int,
    written: list[str],
) -> None:
    # A folder of this name is in the tree, which pytest takes for its tests where the name is a word.
    tools = Standing("tools", True, "2026-11-01", 120.0)
    hours = Standing("hours", False, "", 9000.0)
    monkeypatch.setattr(landing, "standings", lambda *_: [hours, tools])
    monkeypatch.setattr(landing, "seconds_of_promises", lambda _: 600.0)
    said: list[str] = []
    monkeypatch.setattr(passed, "load", lambda _root: {})
    monkeypatch.setattr(passed, "write", lambda _root, parts, _day: said.extend(parts))
    monkeypatch.setattr(run, "IN_CI", False)
    shows = "import sys; print(*sys.argv[1:]); sys.exit({})"
    monkeypatch.setattr(run, "PYTEST", program(shows.format(code)))
    monkeypatch.setattr(run, "LINT", PASSES)
    monkeypatch.setattr(run, "OTHER_PYTHONS", PASSES)
    assert run.for_landing([]) == code
    shown = capfd.readouterr()
    assert shown.out.split()[-3:] == ["--part=tools", "--try-alone", "3"]
    assert "with `tools` (2 min): changed since it passed, 2026-11-01" in shown.err
    assert "no time for `hours` (150 min): not changed since it passed, never" in shown.err
    assert said == written


def test_tests_count_as_compiled_until_one_is_written_anew(tmp_path: Path) -> None:
    source = tmp_path / "unit" / "test_one.py"
    compiled = source.parent / "__pycache__" / "test_one.cpython-311-pytest-9.2.0.pyc"
    compiled.parent.mkdir(parents=True)
    source.write_text("")
    assert not run._are_compiled(tmp_path)
    compiled.write_bytes(b"")
    assert run._are_compiled(tmp_path)
    os.utime(source, (compiled.stat().st_mtime + 5,) * 2)
    assert not run._are_compiled(tmp_path)


@pytest.mark.parametrize(
    ("tests", "lint", "files", "code"),
    [
        (PASSES, PASSES, ("tests/unit/test_text.py",), 0),
        (FAILS, PASSES, ("tests/unit/test_text.py",), 1),
        (PASSES, FAILS, ("tests/unit/test_text.py",), 1),
        (FAILS, PASSES, (), 0),
        (FAILS, FAILS, (), 1),
    ],
)
def test_a_check_is_lint_and_the_tests_that_a_change_reaches(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tests: tuple[str, ...],
    lint: tuple[str, ...],
    files: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.setattr(run, "PYTEST", tests)
    monkeypatch.setattr(run, "LINT", lint)
    assert run.check(reach.Choice(files, ("tests/unit/far.py",), "2 files have changed")) == code
    said = capsys.readouterr().err
    assert "2 files have changed: lint, types and " in said
    assert "1 files of unit tests were left out" in said


def test_what_a_program_of_the_suite_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    program = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(started)!r}).write_text(f'{{child.pid}}.')\n"
        "child.wait()\n"
    )
    with run._process([sys.executable, "-c", program], os.environ):
        eventually(lambda: started.exists() and started.read_text().endswith("."))
    pid = int(started.read_text().rstrip("."))
    eventually(lambda: not alive(pid))


def test_a_lack_reaches_the_tests_as_it_is() -> None:
    rows = json.loads(run._environ([Lack("fish", "gone", ("shell",))])[run.LACKS])
    assert rows == [{"text": "fish: gone", "markers": ["shell"]}]


def test_a_run_of_pytest_beside_leaves_the_folders_of_this_one_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It shuts the folder that runs share, also where a test had opened it for the owner of a workspace.
    monkeypatch.delenv("TMPDIR")
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT", raising=False)
    open_to_user(tmp_path)
    above = tmp_path.parents[:-2]
    modes = [path.stat().st_mode for path in above]
    (tmp_path / "test_beside.py").write_text("def test_it(tmp_path): assert tmp_path.is_dir()\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    subprocess.run(words, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert [path.stat().st_mode for path in above] == modes
