"""What was made in a workspace for its generated files is known until it is taken away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.folders import state_folder
from sandboxd.project import Project
from sandboxd.state import stand_ins
from tests.unit.plan.examples import GVISOR


def test_notes_add_up_until_they_are_forgotten() -> None:
    assert stand_ins.noted(os.environ, "/w") == ()
    stand_ins.note(os.environ, "/w", [".vscode"])
    stand_ins.note(os.environ, "/w", [".idea", ".vscode"])
    assert stand_ins.noted(os.environ, "/w") == (".idea", ".vscode")
    assert stand_ins.noted(os.environ, "/other") == ()
    stand_ins.forget(os.environ, "/w")
    stand_ins.forget(os.environ, "/w")
    assert stand_ins.noted(os.environ, "/w") == ()


@pytest.mark.parametrize("text", ["", "{", "3", "[1]", "[" * 5000])
def test_a_damaged_note_names_nothing(text: str) -> None:
    stand_ins.note(os.environ, "/w", ["a"])
    (file,) = Path(state_folder(os.environ), "stand-ins").iterdir()
    file.write_text(text)
    assert stand_ins.noted(os.environ, "/w") == ()


def test_whoever_writes_a_projects_files_notes_them(tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "debian:13"\n')
    (tmp_path / ".idea").mkdir()
    project = Project.open(str(tmp_path), dict(os.environ))
    project.generate(GVISOR)
    made = set(stand_ins.noted(os.environ, project.workspace))
    assert ".vscode" in made and ".idea" not in made
    assert all((tmp_path / path).exists() for path in made)
