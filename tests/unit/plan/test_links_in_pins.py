"""What links in read-only files lead to: shut like them where that is possible, else named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.plan import links_in_pins
from sandboxd.plan.git_control import GitControl
from sandboxd.plan.workspace import survey

GIT = GitControl(pins=(".githooks",), folders=frozenset({".githooks"}))


def link(path: Path, to: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def script(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def shut_and_named(root: Path) -> tuple[set[str], set[str]]:
    git = GIT._replace(own=(str(root / ".git"),))
    facts = survey(str(root), (".git", ".vscode"), git=git)
    shut = {file.path for file in facts.control_files if file.kind in ("file", "directory")}
    return shut - {".git", ".githooks", ".vscode"}, {each.path for each in facts.exposed}


@pytest.mark.parametrize(
    ("place", "to"),
    [
        (".githooks/post-commit", "../scripts/pc.sh"),
        (".githooks/deep/er/x", "../../../scripts/pc.sh"),
        (".git/hooks/post-commit", "../../scripts/pc.sh"),
        (".git/config", "../scripts/pc.sh"),
        (".vscode/tasks.json", "../scripts/pc.sh"),
    ],
)
def test_the_file_behind_a_link_is_shut(tmp_path: Path, place: str, to: str) -> None:
    script(tmp_path / "scripts/pc.sh")
    link(tmp_path / place, to)
    assert shut_and_named(tmp_path) == ({"scripts/pc.sh"}, set())


def test_a_folder_of_hooks_behind_a_link_is_shut(tmp_path: Path) -> None:
    script(tmp_path / "tools/hooks/pre-commit")
    link(tmp_path / ".git/hooks", "../tools/hooks")
    assert shut_and_named(tmp_path) == ({"tools/hooks"}, set())


def test_links_behind_links_are_followed(tmp_path: Path) -> None:
    script(tmp_path / "scripts/pc.sh")
    link(tmp_path / ".git/hooks", "../hooks")
    link(tmp_path / "hooks/post-commit", "../scripts/pc.sh")
    link(tmp_path / "hooks/again", ".")
    assert shut_and_named(tmp_path) == ({"hooks", "scripts/pc.sh"}, set())


def test_a_folder_in_which_one_works_is_named(tmp_path: Path) -> None:
    script(tmp_path / "src/x.py")
    link(tmp_path / ".vscode/src", "../src")
    assert shut_and_named(tmp_path) == (set(), {"src"})


def test_what_cannot_be_shut_is_named(tmp_path: Path) -> None:
    """A link that inside can replace, a path at which nothing is, and a file of no regular kind."""
    script(tmp_path / "real")
    link(tmp_path / "hop", "real")
    link(tmp_path / ".githooks/a", "../hop")
    link(tmp_path / ".githooks/b", "../missing")
    os.mkfifo(tmp_path / "pipe")
    link(tmp_path / ".githooks/c", "../pipe")
    assert shut_and_named(tmp_path) == ({"real"}, {"hop", "missing", "pipe"})


def test_links_that_lead_out_or_stay_within_what_is_shut_count_for_nothing(tmp_path: Path) -> None:
    script(tmp_path / ".githooks/x")
    link(tmp_path / ".githooks/y", "x")
    link(tmp_path / ".githooks/z", "/usr/bin/env")
    link(tmp_path / ".githooks/loop", "loop")
    assert shut_and_named(tmp_path) == (set(), set())


def test_very_many_files_are_said_not_to_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links_in_pins, "_MOST_ENTRIES", 3)
    for number in range(5):
        script(tmp_path / f".githooks/{number}")
    assert not survey(str(tmp_path), (), git=GIT).complete


def test_links_in_git_directories_elsewhere_lead_to_what_is_shut(tmp_path: Path) -> None:
    """As in a monorepo, for a linked work tree, and in a submodule."""
    project = tmp_path / "web/api"
    script(project / "scripts/pc.sh")
    link(tmp_path / ".git/hooks/post-commit", "../../web/api/scripts/pc.sh")
    facts = survey(str(project), (), git=GitControl(own=(str(tmp_path / ".git"),)))
    assert [file.path for file in facts.control_files] == ["scripts/pc.sh"]


def test_a_folder_from_which_a_link_goes_up_is_named(tmp_path: Path) -> None:
    """A link in its place would have it lead elsewhere."""
    script(tmp_path / "scripts/pc.sh")
    (tmp_path / "a").mkdir()
    link(tmp_path / ".vscode/tasks.json", "../a/../scripts/pc.sh")
    assert shut_and_named(tmp_path) == ({"scripts/pc.sh"}, {"a"})
