"""Hooks that git on the host takes from elsewhere than `.git/hooks`, and in other work trees: what they run is shut, too."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_control import git_control

RUNS = "#!/bin/sh\n. tools/x.sh\n"


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    allowed = ("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main")
    subprocess.run(
        ["git", *identity, *allowed, *words], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a script that a hook may run."""
    folder = tmp_path / "project"
    (folder / "tools").mkdir(parents=True)
    (folder / "tools/x.sh").write_text("")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def plant(folder: Path, name: str = "pre-commit") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(RUNS)
    (folder / name).chmod(0o755)


def pins(project: Path) -> tuple[str, ...]:
    return git_control(str(project.resolve())).pins


def test_without_a_hook_nothing_of_it_is_shut(project: Path) -> None:
    assert "tools/x.sh" not in pins(project)


def test_a_folder_in_git_s_own(project: Path) -> None:
    plant(project / ".git/my-hooks")
    git(project, "config", "core.hooksPath", ".git/my-hooks")
    assert "tools/x.sh" in pins(project)


def test_a_folder_outside_of_the_workspace(project: Path, tmp_path: Path) -> None:
    plant(tmp_path / "hooks")
    git(project, "config", "core.hooksPath", str(tmp_path / "hooks"))
    assert "tools/x.sh" in pins(project)


def test_a_folder_outside_that_the_user_s_config_names(project: Path, tmp_path: Path) -> None:
    plant(tmp_path / "hooks")
    config = tmp_path / "gitconfig"
    config.write_text(f"[core]\n\thooksPath = {tmp_path}/hooks\n")
    found = git_control(str(project.resolve()), of_user=[str(config)])
    assert "tools/x.sh" in found.pins


def test_a_hook_that_is_a_link_to_a_script_outside(project: Path, tmp_path: Path) -> None:
    plant(tmp_path / "scripts", "check")
    hook = project / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.symlink_to(tmp_path / "scripts/check")
    assert "tools/x.sh" in pins(project)


def test_a_folder_of_the_workspace_that_leads_outside(project: Path, tmp_path: Path) -> None:
    plant(tmp_path / "hooks")
    (project / "hk").symlink_to(tmp_path / "hooks")
    git(project, "config", "core.hooksPath", "hk")
    assert "tools/x.sh" in pins(project)


def test_the_hooks_of_a_submodule_run_in_it(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(project), "other")
    git(project, "submodule", "-q", "add", str(tmp_path / "other"), "sub")
    plant(project / ".git/modules/sub/hooks")
    found = pins(project)
    assert "sub/tools/x.sh" in found
    assert "tools/x.sh" not in found


def test_the_hooks_of_the_repository_run_in_a_linked_work_tree_as_well(project: Path) -> None:
    git(project, "worktree", "add", "-q", "linked")
    plant(project / ".git/hooks")
    assert {"tools/x.sh", "linked/tools/x.sh"} <= set(pins(project))


def test_a_workspace_that_is_a_linked_work_tree(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"))
    plant(project / ".git/hooks")
    assert "tools/x.sh" in pins(tmp_path / "linked")


def test_a_workspace_whose_repository_is_elsewhere(project: Path, tmp_path: Path) -> None:
    (project / ".git").rename(tmp_path / "own.git")
    (project / ".git").write_text(f"gitdir: {tmp_path}/own.git\n")
    plant(tmp_path / "own.git/hooks")
    assert "tools/x.sh" in pins(project)


def test_why_more_may_run_is_said_of_a_hook_outside(project: Path, tmp_path: Path) -> None:
    plant(tmp_path / "hooks")
    (tmp_path / "hooks/pre-push").write_text("#!/bin/sh\nmake lint\n")
    git(project, "config", "core.hooksPath", str(tmp_path / "hooks"))
    for folder in (project, project / "tools"):
        (unread,) = git_control(str(folder.resolve())).unread
        assert unread.path == f"{tmp_path}/hooks/pre-push" and "`make`" in unread.why
