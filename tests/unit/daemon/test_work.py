"""The work on a project's files after a save."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sandboxd.daemon import work
from sandboxd.project import Project
from sandboxd.status.examine import examine
from tests.unit.plan.examples import GVISOR


def test_a_save_opens_and_plans_its_project_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('image = "img:1"\n')
    # The files that it makes are pinned by the plan that follows.
    work.generate(str(tmp_path), {}, GVISOR)
    work.generate(str(tmp_path), {}, GVISOR)
    calls: Counter[str] = Counter()
    open_, planned = Project.open, Project.planned

    def count_open(path: str, environ: dict[str, str]) -> Project:
        calls["open"] += 1
        return open_(path, environ)

    def count_plan(project: Project, *arguments: object) -> object:
        calls["plan"] += 1
        return planned(project, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Project, "open", count_open)
    monkeypatch.setattr(Project, "planned", count_plan)
    config.write_text('image = "img:2"\n')
    outcome = work.generate(str(tmp_path), {}, GVISOR)
    assert outcome.written == (".devcontainer/devcontainer.json",)
    assert calls == {"open": 1, "plan": 1}


@pytest.mark.parametrize("saves", [1, 2])
def test_the_outcome_of_a_save_is_that_of_another_look(tmp_path: Path, saves: int) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "img:1"\n')
    for _ in range(saves):
        outcome = work.generate(str(tmp_path), {}, GVISOR)
    assert outcome.examined == examine(str(tmp_path), {}, GVISOR)


@pytest.mark.parametrize("text", ["", "image = 1\n", 'image = "a"\nruntime = "runc"\n'])
def test_a_save_that_cannot_be_planned_says_as_much_as_a_look(tmp_path: Path, text: str) -> None:
    (tmp_path / "sandboxd.toml").write_text(text)
    outcome = work.generate(str(tmp_path), {}, GVISOR)
    assert outcome.written == ()
    assert outcome.examined.problem
    assert outcome.examined == examine(str(tmp_path), {}, GVISOR)
