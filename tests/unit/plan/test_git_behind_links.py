"""A config or a folder of hooks in `.git` that is a link into the work tree: what it leads to counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.git_control import git_control
from sandboxd.plan.workspace import survey
from tests.unit.plan.test_git_control import ALWAYS, git, pins, repository

__all__ = ["repository"]


def lead_hooks(repository: Path, target: str) -> None:
    git(repository, "config", "init.defaultBranch", "main")
    hooks = repository / ".git/hooks"
    for sample in hooks.iterdir():
        sample.unlink()
    hooks.rmdir()
    hooks.symlink_to(target)


@pytest.mark.parametrize("is_there", [False, True])
def test_what_the_folder_of_hooks_leads_to_is_shut_and_made_where_it_is_missing(
    repository: Path, is_there: bool
) -> None:
    lead_hooks(repository, "../tools/hooks")
    if is_there:
        (repository / "tools/hooks").mkdir(parents=True)
    control = git_control(str(repository))
    assert {*control.pins} == {*ALWAYS, "tools/hooks"}
    assert control.folders == {"commondir", "tools/hooks"}


def test_each_link_on_the_way_to_hooks_is_shut(repository: Path) -> None:
    lead_hooks(repository, "../one")
    (repository / "one").symlink_to("two")
    assert pins(repository) == {*ALWAYS, "one", "two"}


def test_hooks_at_the_top_of_the_work_tree_are_named(repository: Path) -> None:
    lead_hooks(repository, "..")
    (unread,) = git_control(str(repository)).unread
    assert unread.path == ".git/hooks" and "from the top of the work tree" in unread.why


def test_hooks_that_lead_elsewhere_or_in_a_circle_shut_nothing(
    repository: Path, tmp_path: Path
) -> None:
    lead_hooks(repository, str(tmp_path / "elsewhere"))
    assert pins(repository) == ALWAYS
    (repository / ".git/hooks").unlink()
    (repository / ".git/hooks").symlink_to("hooks")
    assert pins(repository) == ALWAYS


def test_a_hook_that_leads_to_a_missing_file_is_named(repository: Path) -> None:
    (repository / ".git/hooks/pre-commit").symlink_to("../../tools/check")
    (exposed,) = git_control(str(repository)).exposed
    assert exposed.path == "tools/check" and "`.git/hooks/pre-commit`" in exposed.why


def test_a_config_that_is_a_link_is_read_and_shut_where_it_ends(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", "h")
    (repository / ".git/config").rename(repository / "gitconfig")
    (repository / ".git/config").symlink_to("../gitconfig")
    assert git(repository, "config", "core.hooksPath") == "h\n"
    assert pins(repository) == {*ALWAYS, "gitconfig", "h"}
    (repository / "gitconfig").unlink()
    (exposed,) = git_control(str(repository)).exposed
    assert exposed.path == "gitconfig" and "is missing" in exposed.why


def test_a_config_that_lies_outside_of_the_workspace_is_read_there(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "core.hooksPath", "h")
    (repository / ".git/config").rename(tmp_path / "gitconfig")
    (repository / ".git/config").symlink_to(tmp_path / "gitconfig")
    assert pins(repository) == {*ALWAYS, "h"}


def test_a_link_that_goes_up_from_a_linked_folder_ends_where_the_kernel_says(
    repository: Path,
) -> None:
    git(repository, "config", "core.hooksPath", "h")
    (repository / "sub/deep").mkdir(parents=True)
    (repository / "way").symlink_to("sub/deep")
    (repository / ".git/config").rename(repository / "sub/gitconfig")
    (repository / ".git/config").symlink_to("../way/../gitconfig")
    assert git(repository, "config", "core.hooksPath") == "h\n"
    assert pins(repository) >= {"sub/gitconfig", "h"}


@pytest.mark.parametrize("is_link", [False, True])
def test_the_outermost_missing_folder_above_hooks_is_made_empty_and_shut(
    repository: Path, is_link: bool
) -> None:
    if is_link:
        lead_hooks(repository, "../tools/deep/hooks")
    else:
        git(repository, "config", "core.hooksPath", "tools/deep/hooks")
    facts = survey(str(repository), (), left_open=(), git=git_control(str(repository)))
    assert "tools" in facts.of_kind("stub")
    assert not [each for each in facts.control_files if each.path.startswith("tools/")]
