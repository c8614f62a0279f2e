"""A linked work tree of git in a private copy: its repository comes along, and commits come back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

WORK = """
set -e
git status --porcelain
echo two > two.txt && git add two.txt && git commit -qm two
echo three >> main.py && git stash -q && git stash pop -q && git checkout -q main.py
git checkout -q -b side HEAD~1 && echo s > s.txt && git add s.txt && git commit -qm side
git rebase -q login && git log --format='%s %an <%ae>' -2
git fetch -q . && git worktree list | wc -l
ls .git/hooks 2>/dev/null | wc -l
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


@pytest.fixture
def worktree(own_home: Path, tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A work tree on a branch of its own, whose repository starts programs with every command of git."""
    main, linked = tmp_path / "main", tmp_path / "login"
    (own_home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    git(tmp_path, "init", "-q", "-b", "main", str(main))
    (main / "main.py").write_text("print(1)\n")
    (main / "sandboxd.toml").write_text(
        f'image = "{rich.image}"\nruntime = "{runtime}"\nprofile = "agent"\n'
    )
    git(main, "add", "-A")
    git(main, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one")
    git(main, "worktree", "add", "-q", "-b", "login", str(linked))
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    evil.chmod(0o755)
    for hook in ("post-checkout", "pre-commit"):
        (main / ".git/hooks" / hook).write_text(evil.read_text())
        (main / ".git/hooks" / hook).chmod(0o755)
    git(main, "config", "core.fsmonitor", str(evil))
    for path in (main, linked, *main.rglob("*"), *linked.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    return linked


def test_git_works_inside_and_what_it_made_comes_back(engine: str, worktree: Path) -> None:
    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, worktree, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    before = sandboxes.tree(worktree), sandboxes.tree(worktree.parent / "main")
    sandboxd("up", "--allow-runc")
    try:
        lines = sandboxd("exec", "-n", "sh", "-c", WORK).splitlines()
        assert lines == ["side Ann <ann@example.org>", "two Ann <ann@example.org>", "1", "0"]
        assert (sandboxes.tree(worktree), sandboxes.tree(worktree.parent / "main")) == before
        shown = sandboxd("review", "--stat", "--save")
        refs = [line for line in shown.splitlines() if line.startswith("refs/sandboxd/")]
        assert {ref.rpartition("/")[2] for ref in refs} == {"login", "side"}
        (side,) = [ref for ref in refs if ref.endswith("/side")]
        repository = worktree.parent / "main"
        assert (
            git(repository, "-c", "core.fsmonitor=false", "log", "-1", "--format=%s", side)
            == "side"
        )
    finally:
        sandboxes.run(engine, worktree, "down", "--discard")
    assert not (worktree.parent / "ran").exists()
