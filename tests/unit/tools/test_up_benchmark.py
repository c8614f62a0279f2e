"""A benchmark that cannot go on says by which command, how that ended, and what it said of it."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("up")


def end(script: Any, code: int, stderr: str, stdout: str = "") -> str:
    return str(script.end_of(subprocess.CompletedProcess([], code, stdout, stderr)))


@pytest.mark.parametrize(
    ("code", "stderr", "stdout", "words"),
    [
        (
            4,
            "starting `x`\nerror: no space\nhint: free some\n",
            "",
            "error: no space hint: free some",
        ),
        (4, "error: no space\n" + "progress\n" * 200, "", "ended with 4: error: no space"),
        (1, "", "said on stdout\n", "ended with 1: said on stdout"),
        (-9, "one\ntwo\n", "", "was killed by signal 9: one two"),
        (3, "\n", "", "ended with 3: without a word"),
    ],
)
def test_the_end_of_a_command(script: Any, code: int, stderr: str, stdout: str, words: str) -> None:
    assert words in end(script, code, stderr, stdout)


def test_the_row_of_a_run_that_ended_early_has_all_of_it(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure_all(*_: object) -> None:
        raise RuntimeError("`sandboxd up` ended with 4:\nerror: no space")

    monkeypatch.setattr(script, "measure_all", measure_all)
    [row] = script.against_budgets(3)
    assert row.verdict == "not measured"
    assert row.detail == "`sandboxd up` ended with 4: error: no space"
