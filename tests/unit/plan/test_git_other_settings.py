"""Settings of git that few people use, and files beside its config, by which it comes to run what lies in the work tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandboxd.plan.entrances import entrances
from sandboxd.plan.git_control import NamedByConfig, git_control, named_by_config
from sandboxd.plan.gitlinks import index_of
from tests.unit.plan.test_git_control import ALWAYS, git, pins, repository

__all__ = ["repository"]


@pytest.mark.parametrize(
    ("key", "value", "file"),
    [
        ("sendemail.smtpServer", "{root}/tools/send", "tools/send"),
        ("svn.authorsProg", "tools/authors", "tools/authors"),
        ("secrets.providers", "cat tools/words", "tools/words"),
        ("gitflow.path.hooks", "tools/flow", "tools/flow"),
        ("annex.freezecontent-command", "tools/freeze %path", "tools/freeze"),
        ("annex.demo-store-hook", "tools/store", "tools/store"),
        ("remote.usb.annex-cost-command", "tools/cost", "tools/cost"),
        ("instaweb.httpd", "tools/httpd -f", "tools/httpd"),
        ("core.hooksPath", ".", "pre-commit"),
    ],
)
def test_what_they_name_is_shut(repository: Path, key: str, value: str, file: str) -> None:
    path = repository / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    git(repository, "config", key, value.format(root=repository))
    assert pins(repository) == {*ALWAYS, file}


def test_where_git_works_elsewhere_what_the_config_names_begins_there(repository: Path) -> None:
    (repository / "sub/tools").mkdir(parents=True)
    (repository / "sub/tools/watch").touch()
    git(repository, "config", "core.hooksPath", "hooks")
    git(repository, "config", "core.fsmonitor", "tools/watch")
    git(repository, "config", "core.worktree", "../sub")
    control = git_control(str(repository))
    assert {*control.pins} >= {"hooks", "sub/hooks", "sub/tools/watch"}
    assert "sub" in {each.path for each in control.unread}


def test_folders_of_objects_that_git_comes_to_name_are_named(repository: Path) -> None:
    (repository / "pool/objects").mkdir(parents=True)
    assert named(repository).paths == frozenset()
    file = repository / ".git/objects/info/alternates"
    assert str(file) in named(repository).configs
    file.write_text("../../pool/objects\n../../gone/objects\n")
    assert {*named(repository).paths} == {"pool/objects", "gone/objects"}
    assert named(repository).absent == {"gone/objects"}
    assert "pool/objects" in pins(repository) and "gone/objects" not in pins(repository)


def test_hooks_that_would_be_at_the_top_are_waited_for(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".")
    assert {"pre-commit", "post-checkout"} <= named(repository).absent
    assert named(repository).paths == frozenset()
    (repository / "pre-commit").touch()
    assert named(repository).paths == {"pre-commit"}


def named(repository: Path) -> NamedByConfig:
    index = index_of(str(repository))
    return named_by_config(str(repository), index, entrances(str(repository), index))


def test_a_hook_that_comes_matters(repository: Path) -> None:
    (repository / "tools").mkdir()
    git(repository, "config", "core.hooksPath", "tools")
    assert {f"{repository}/.git/hooks", f"{repository}/tools"} <= {*named(repository).folders}


def test_a_hook_that_is_empty_may_be_one_that_is_being_written(repository: Path) -> None:
    (repository / ".git/hooks").mkdir(exist_ok=True)
    (repository / ".git/hooks/pre-commit").touch()
    assert f"{repository}/.git/hooks/pre-commit" in named(repository).configs


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.hooksPath", "a/../hooks"),
        ("core.hooksPath", "{root}/a/b/../../hooks"),
        ("include.path", "../a/../inc"),
        ("core.fsmonitor", "a/../watch"),
        ("remote.m.url", "./a/../mirror.git"),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_from_which_a_path_goes_up_is_shut(
    repository: Path, key: str, value: str, exists: bool
) -> None:
    """By a link in its place it would lead to what a program inside made."""
    git(repository, "config", key, value.format(root=repository))
    assert {"a", "a/b"} & named(repository).paths
    if exists:
        (repository / "a/b").mkdir(parents=True)
    control = git_control(str(repository))
    assert {"a", "a/b"} & {*control.pins} & control.folders


@pytest.mark.parametrize("link", ["hooks", "hooks/pre-commit", "config"])
def test_so_is_one_from_which_a_link_of_git_goes_up(repository: Path, link: str) -> None:
    place = repository / ".git" / link
    (repository / "a").mkdir()
    if link == "hooks":
        (repository / "end").mkdir()
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.parent.mkdir(exist_ok=True)
        (repository / "end").write_text("x")
        place.unlink(missing_ok=True)
    up = "../" * (1 + link.count("/"))
    place.symlink_to(f"{up}a/../end")
    assert {"a"} <= pins(repository)


def test_so_is_one_from_which_a_script_goes_up_that_a_hook_runs(repository: Path) -> None:
    (repository / ".git/hooks").mkdir(exist_ok=True)
    (repository / ".git/hooks/pre-commit").write_text("#!/bin/sh\n. a/../run.sh\n")
    (repository / "a").mkdir()
    (repository / "run.sh").touch()
    assert {"a", "run.sh"} <= pins(repository)


def test_other_files_push_no_hook_of_git_out(repository: Path) -> None:
    (repository / ".git/hooks").mkdir(exist_ok=True)
    for number in range(150):
        (repository / f".git/hooks/a{number:03}").write_text("true")
    (repository / ".git/hooks/pre-commit").write_text("true")
    assert f"{repository}/.git/hooks/pre-commit" in named(repository).configs
