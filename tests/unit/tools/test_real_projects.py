"""The page of real projects says what came of each step; their list names each at one commit."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("real_projects")


def test_each_is_at_one_commit_and_has_a_server_to_open(script: Any) -> None:
    listed = script.projects()
    assert len({each.name for each in listed}) == len(listed)
    for each in listed:
        assert re.fullmatch(r"[0-9a-f]{40}", each.commit), each.name
        assert each.images and each.tests, each.name
        assert not each.serve or (each.port and each.shows), each.name


def test_a_step_that_failed_is_counted_and_has_its_words(script: Any) -> None:
    project = script.projects()[0]
    steps = [
        script.Step("check", 0.25, "", "no error"),
        script.Step("up", 3.04, "", "postCreateCommand"),
        script.Step("tests", 2.0, "exit code 1: no such module"),
    ]
    client = [script.Step("up", 5.0), script.Step("commit", 1.0, "exit code 128: who are you")]
    page = script.real_page.render([project], {project.name: {"runc": steps, "reference": client}})
    assert "2 of 3 steps did what they should" in page
    assert "| runc | 0.2 | not reached | 3.0 | postCreateCommand | **no** | not reached |" in page
    assert "| dev container CLI | - | - | 5.0 |  |  | opens none | **no** | - |  |" in page
    assert f"- {project.name}, runc, tests: exit code 1: no such module" in page
    assert "commit: exit code 128: who are you" in page


def test_a_folder_without_the_repository_is_named(script: Any, tmp_path: Path) -> None:
    project = script.projects()[0]
    with pytest.raises(script.Unusable) as caught:
        script.clone(project, tmp_path / "to", tmp_path)
    assert project.name in caught.value.args[1]
