"""Which folders of a tree are not entered, and that others of similar names are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.lint import tree

NOT_ENTERED = [
    ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache",
]  # fmt: skip


@pytest.mark.parametrize("name", [*NOT_ENTERED, "src", ".github", "toxic"])
def test_folders_of_tools_are_not_entered(tmp_path: Path, name: str) -> None:
    config = tmp_path / name / "devcontainer.json"
    config.parent.mkdir()
    config.write_text("{}")
    files = tree.find([str(tmp_path)]).files
    assert files == (() if name in NOT_ENTERED else (str(config),))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("apiVersion: v1\nkind: Pod\n", True),
        ("services:\n  web:\n    image: nginx\n", True),
        ("site_name: docs\n", False),
        ("\x00\xff", False),
    ],
)
def test_a_yaml_file_of_any_name_is_looked_into(tmp_path: Path, text: str, wanted: bool) -> None:
    path = tmp_path / "anything.yaml"
    path.write_text(text, encoding="latin-1")
    assert tree.find([str(tmp_path)]).files == ((str(path),) if wanted else ())


def test_a_yaml_file_that_cannot_be_read_is_none_of_ours(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert tree.find([str(tmp_path)]) == ((), (), ())


def test_a_link_within_the_project_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("read me\n")
    (tmp_path / "CLAUDE.md").symlink_to("AGENTS.md")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "AGENTS.md").symlink_to("../AGENTS.md")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "weak.txt").write_text("{}")
    (tmp_path / ".devcontainer.json").symlink_to("configs/weak.txt")
    found = tree.find([str(tmp_path)])
    assert found.skipped == ()
    names = [os.path.relpath(path, tmp_path) for path in found.files]
    assert names == ["AGENTS.md", ".devcontainer.json"]


def test_a_linked_folder_of_configs_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "configs" / "python").mkdir(parents=True)
    (tmp_path / "configs" / "devcontainer.txt").write_text("{}")
    (tmp_path / "configs" / "python" / "devcontainer.json").write_text("{}")
    (tmp_path / "configs" / "devcontainer.json").symlink_to("/etc/passwd")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / ".devcontainer").symlink_to("../configs")
    found = tree.find([str(tmp_path)])
    names = [os.path.relpath(path, tmp_path) for path in found.files]
    assert names == ["configs/python/devcontainer.json"]
    assert [os.path.relpath(entry.path, tmp_path) for entry in found.skipped] == [
        "configs/devcontainer.json"
    ]


@pytest.mark.parametrize("target", ["/etc/hostname", "../beside.json"])
def test_a_link_out_of_the_project_is_skipped_with_the_reason(tmp_path: Path, target: str) -> None:
    (tmp_path / "beside.json").write_text("{}")
    project = tmp_path / "project"
    project.mkdir()
    (project / "devcontainer.json").symlink_to(target)
    found = tree.find([str(project)])
    assert found.files == ()
    [skipped] = found.skipped
    assert skipped.reason == "is a symbolic link that leads out of the project"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".devcontainer").symlink_to("..")
    (tmp_path / ".devcontainer").symlink_to("a/.devcontainer")
    (tmp_path / "devcontainer.json").symlink_to("devcontainer.json")
    found = tree.find([str(tmp_path)])
    assert [os.path.relpath(path, tmp_path) for path in found.files] == ["devcontainer.json"]
