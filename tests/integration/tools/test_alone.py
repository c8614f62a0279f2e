"""A landing's run tells a test that fails at times from one that fails, and hides neither."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PLUGIN = """
from tests import alone
pytest_addoption, pytest_configure = alone.pytest_addoption, alone.pytest_configure
"""

AT_TIMES = """
from pathlib import Path
def test_it():
    mark = Path(__file__).with_suffix(".ran")
    was_there = mark.exists()
    mark.touch()
    assert was_there, "too late"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite with two tests, of which one fails at its first run alone."""
    (tmp_path / "with_alone.py").write_text(PLUGIN)
    for name in ("tests/e2e", "tests/unit"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "tests/e2e/test_times.py").write_text(AT_TIMES)
    (tmp_path / "tests/unit/test_fine.py").write_text("def test_it(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n")
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "with_alone", *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{folder}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("beside", [(), ("-p", "xdist", "-n", "2")], ids=["one", "several"])
def test_what_passes_alone_fails_no_landing_and_is_named_with_its_row(
    suite: Path, beside: tuple[str, ...]
) -> None:
    done = run(suite, "--try-alone", "3", *beside)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILS AT TIMES: 1 failed beside others and passed alone" in done.stdout
    assert (
        "1 passed, 1 xfailed" in done.stdout and "E       AssertionError: too late" in done.stdout
    )
    row = done.stdout.partition("[[test]]")[2].partition("===")[0]
    (shown,) = tomllib.loads("[[test]]" + row)["test"]
    assert shown["name"] == "tests/e2e/test_times.py::test_it" and "too late" in shown["seen"]


def test_without_the_option_a_failed_test_has_failed(suite: Path) -> None:
    done = run(suite)
    assert done.returncode == 1 and "FAILED tests/e2e/test_times.py" in done.stdout


@pytest.mark.parametrize(
    ("setup", "word"),
    [("", "FAILED"), ("import pytest\n@pytest.fixture(autouse=True)\ndef it(): 1 / 0\n", "ERROR")],
    ids=["call", "setup"],
)
def test_what_fails_alone_too_has_failed(suite: Path, setup: str, word: str) -> None:
    (suite / "tests/e2e/test_times.py").write_text(f"{setup}def test_it(): assert 'a' == 'b'\n")
    done = run(suite, "--try-alone", "3")
    assert done.returncode == 1 and "FAILS AT TIMES" not in done.stdout
    assert f"{word} tests/e2e/test_times.py::test_it" in done.stdout, done.stdout
    assert ("1 error" if setup else "1 failed") in done.stdout


def test_a_failed_unit_test_lets_nothing_be_tried(suite: Path) -> None:
    (suite / "tests/unit/test_fine.py").write_text("def test_it(): assert False\n")
    done = run(suite, "--try-alone", "3")
    assert done.returncode == 1 and "2 failed" in done.stdout


def test_more_than_are_allowed_have_all_failed(suite: Path) -> None:
    (suite / "tests/e2e/test_more.py").write_text(AT_TIMES)
    done = run(suite, "--try-alone", "1")
    assert done.returncode == 1 and "2 failed, 1 passed" in done.stdout, done.stdout


def test_what_a_test_leaves_behind_is_no_matter_of_time(suite: Path) -> None:
    text = "import pytest\n@pytest.fixture(autouse=True)\ndef it():\n    yield\n    1 / 0\ndef test_it(): pass\n"
    (suite / "tests/e2e/test_times.py").write_text(text)
    done = run(suite, "--try-alone", "3")
    assert done.returncode == 1 and "1 error" in done.stdout
