"""What a sandbox puts into the workspace is named when it does, and gone with the sandbox."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    """A project without any of the folders that are pinned."""
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, runtime)
    for name in (".vscode", ".devcontainer", ".devcontainer.json", "commondir", ".git/hooks"):
        shutil.rmtree(folder / name)
    (folder / ".git/commondir").unlink()
    (folder / "package.json").write_text("{}\n")
    sandboxes.give_to_user(folder)
    return folder


def test_each_path_is_named_and_taken_away_again(engine: str, project: Path) -> None:
    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, project, *words)
        assert done.returncode == 0, done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def new() -> set[str]:
        return set(sandboxes.tree(project)) - set(before)

    before = sandboxes.tree(project)
    said = sandboxd("up")
    try:
        assert new() and all(f"`{path}`" in said for path in new()), said
        assert "put here" not in sandboxd("up")
    finally:
        sandboxd("down")
    assert sandboxes.tree(project) == before

    said = sandboxd("generate")
    assert new() and all(path in said for path in new()), said
    sandboxd("up")
    sandboxd("down")
    # The files are the user's to remove: what was made for them goes with the next end.
    shutil.rmtree(project / ".devcontainer")
    sandboxd("down")
    assert sandboxes.tree(project) == before
