"""What is committed inside is on the host when the command ends, and what the host commits is inside at the next."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Sandboxd = Callable[..., subprocess.CompletedProcess[str]]


def git(folder: Path, *words: str) -> str:
    """The output of the user's git on the host."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    setting = ["-c", "safe.directory=*", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(
        ["git", *setting, "-C", str(folder), *words],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def workspace(own_home: Path, tmp_path: Path, rich: Rich, runtime: str) -> Path:
    (own_home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    folder = tmp_path / "shop"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    (folder / "main.py").write_text("print(1)\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    sandboxes.give_to_user(folder)
    if runtime == "runc":
        sandboxes.grant(folder)
    return folder


@pytest.fixture
def sandboxd(engine: str) -> Iterator[Sandboxd]:
    started: list[Path] = []

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        started.append(folder)
        return sandboxes.run(engine, folder, *words)

    yield run
    for folder in started:
        sandboxes.run(engine, folder, "down", "--discard")


def test_commits_pass_both_ways(sandboxd: Sandboxd, workspace: Path) -> None:
    def inside(text: str) -> subprocess.CompletedProcess[str]:
        done = sandboxd(workspace, "exec", "-n", "sh", "-c", text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    assert sandboxd(workspace, "up").returncode == 0
    inside("echo two > two.txt; git add two.txt; git commit -qm two")
    assert git(workspace, "log", "--format=%s") == "two\none\n"
    # Before git of this test, which is root's, writes there.
    owners = {path.stat().st_uid for path in (workspace / ".git").rglob("*")}
    assert owners == {(workspace / ".git").stat().st_uid}
    assert git(workspace, "status", "--porcelain") == ""
    git(workspace, "switch", "-q", "-c", "topic")
    git(workspace, "commit", "-q", "--allow-empty", "-m", "three")
    assert inside("git log --format=%s; git branch --show-current").stdout == (
        "three\ntwo\none\ntopic\n"
    )
    inside("git commit -q --amend --allow-empty -m 'three, amended'")
    assert git(workspace, "log", "-1", "--format=%s") == "three, amended\n"
    # The host is in the middle of a merge: what is committed inside waits, and that is said.
    (workspace / ".git" / "MERGE_HEAD").write_text(git(workspace, "rev-parse", "main"))
    waits = inside("git commit -q --allow-empty -m four").stderr
    assert "refs/sandboxd/_/topic" in waits
    assert "the host is in the middle of an operation of git" in waits
    (workspace / ".git" / "MERGE_HEAD").unlink()
    assert sandboxd(workspace, "down").returncode == 0
    assert git(workspace, "log", "-1", "--format=%s") == "four\n"
    git(workspace, "fsck")


def test_no_commit_brings_what_a_program_wrote_where_the_host_replaced_a_file(
    sandboxd: Sandboxd, workspace: Path
) -> None:
    """No daemon watches. The file is the host's own as it lies there, were it not for the mount that is gone."""
    (workspace / ".envrc").write_text("mine\n")
    git(workspace, "add", ".envrc")
    git(workspace, "commit", "-q", "-m", "two")
    sandboxes.give_to_user(workspace)
    assert sandboxd(workspace, "up").returncode == 0
    attack = (
        "touch began; while grep -q mine .envrc; do :; done; echo evil > .envrc; "
        "git commit -qm evil .envrc"
    )
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(sandboxd, workspace, "exec", "-n", "sh", "-c", attack)
        eventually((workspace / "began").exists)
        subprocess.run(["sed", "-i", "s/mine/other/", ".envrc"], cwd=workspace, check=True)
        done = running.result()
    assert done.returncode == 0, done.stderr
    # What the host reads meanwhile is what remains open where nobody watches.
    assert (workspace / ".envrc").read_text() == "evil\n"
    assert git(workspace, "log", "--all", "--format=%s") == "two\none\n"
    assert "commits do not pass: the host replaced something that is shut inside" in done.stderr
    git(workspace, "checkout", "-q", ".")
    assert (workspace / ".envrc").read_text() == "mine\n"
