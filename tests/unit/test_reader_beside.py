"""Reading files beside others in one run looks each folder up once, and answers as one look for each file does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import UnreadableError
from sandboxd.files import ReaderBeside, in_same_project, read_beside

NAMES = (
    *("own.yml", "a/own.yml", "a/../own.yml", "a/./own.yml", "a/link/own.yml", "a//own.yml"),
    *("inside.yml", "outside.yml", "out/own.yml", "out/../own.yml", "dangling.yml", "none.yml"),
    *("a/none/own.yml", "..", ".", "a/", "own.yml/", "../beside/own.yml", "\0", "own.yml/x"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project, beside = tmp_path / "project", tmp_path / "beside"
    for folder in (project, beside, project / "a", project / "real"):
        folder.mkdir()
        (folder / "own.yml").write_text(f"in {folder.name}\n")
    (project / ".git").mkdir()
    (project / "a" / "link").symlink_to("../real")
    (project / "inside.yml").symlink_to("real/own.yml")
    (project / "outside.yml").symlink_to(beside / "own.yml")
    (project / "out").symlink_to(beside)
    (project / "dangling.yml").symlink_to("nothing.yml")
    return project


def _outcome(read: object, path: str, beside: str) -> str:
    try:
        source = read(path, beside)  # type: ignore[operator]
    except UnreadableError as error:
        return error.message
    return f"{source.path}: {source.text}"


def test_answers_are_those_of_one_look_for_each(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ReaderBeside()
    monkeypatch.chdir(project)
    for folder in (f"{project}/", "", "a/../"):
        beside = f"{project}/compose.yml"
        for name in NAMES:
            path = folder + name
            outcome = _outcome(reader, path, beside)
            assert outcome == _outcome(read_beside, path, beside), path
            is_refused = outcome in ("lies outside of the project", "path holds a NUL byte")
            assert is_refused != in_same_project(path, beside), path


def test_a_folder_is_looked_up_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = os.path.realpath

    def counted(path: str) -> str:
        looked.append(path)
        return real(path)

    monkeypatch.setattr(os.path, "realpath", counted)
    reader = ReaderBeside()
    for number in range(20):
        with pytest.raises(UnreadableError):
            reader(f"{project}/none{number}.yml", f"{project}/compose.yml")
    # The folder of the files, and the project's.
    assert len(looked) == 2
