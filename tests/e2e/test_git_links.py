"""Links that a program inside puts where git on the host writes: named, and impossible in a linked work tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Sandboxd = Callable[..., subprocess.CompletedProcess[str]]

# STARTUP is a file that a shell of the user's reads; git puts the text of SQUASH_MSG into COMMIT_EDITMSG.
PLANT = """
cd REPOSITORY || exit 0
echo 'touch STARTED' > SQUASH_MSG
ln -sf STARTUP COMMIT_EDITMSG
mkdir -p logs; ln -sf STARTUP logs/HEAD
"""


def git(folder: Path, *words: str) -> str:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"}
    setting = ["-c", "safe.directory=*", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(
        ["git", *setting, "-C", str(folder), *words],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def main(own_home: Path, tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A repository with a work tree beside it."""
    folder = tmp_path / "main"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "worktree", "add", "-q", "-b", "login", str(tmp_path / "login"))
    for place in (folder, tmp_path / "login"):
        sandboxes.give_to_user(place)
        if runtime == "runc":
            sandboxes.grant(place)
    return folder


@pytest.fixture
def sandboxd(engine: str, request: pytest.FixtureRequest) -> Iterator[Sandboxd]:
    started: list[Path] = []

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        started.append(folder)
        return sandboxes.run(engine, folder, *words)

    yield run
    for folder in started:
        sandboxes.run(engine, folder, "down", "--discard")


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Its messages without the line breaks of a screen."""
    return " ".join(done.stderr.split())


def plant(repository: Path | str, startup: Path) -> tuple[str, ...]:
    text = PLANT.replace("REPOSITORY", str(repository)).replace("STARTUP", str(startup))
    text = text.replace("STARTED", str(startup.parent / "started"))
    return ("exec", "-n", "sh", "-c", text)


def test_a_link_in_the_repository_is_named(sandboxd: Sandboxd, main: Path, tmp_path: Path) -> None:
    """Nothing keeps the link from being made: the attack works, so it is said before and after."""
    startup = tmp_path / ".zshenv"
    up = sandboxd(main, "up", "--all")
    assert up.returncode == 0 and "put a symbolic link where git writes" in said(up), up.stderr
    assert sandboxd(main, *plant(".git", startup)).returncode == 0
    (main / "new.txt").write_text("x")
    git(main, "add", "new.txt")
    git(main, "commit")
    written = startup.read_text()
    assert f"touch {tmp_path}/started" in written, written
    down = sandboxd(main, "down")
    for path in (".git/COMMIT_EDITMSG", ".git/logs/HEAD"):
        assert f"`{path}` is a symbolic link to `{startup}`" in said(down), down.stderr
        assert f"`rm {path}`" in said(down)
    shown = " ".join(sandboxd(main, "status", "--long").stdout.split())
    assert "`.git/COMMIT_EDITMSG` is a symbolic link" in shown, shown


def test_nothing_can_be_put_into_the_repository_of_a_work_tree(
    sandboxd: Sandboxd, main: Path, tmp_path: Path
) -> None:
    linked, startup = tmp_path / "login", tmp_path / ".zshenv"
    up = sandboxd(linked, "up")
    assert up.returncode == 0, up.stderr
    assert "repository of this work tree is read-only inside" in said(up)
    assert "sandboxd agent" in said(up)
    before = sandboxes.tree(main)
    reads = "git log --format=%s && git status --porcelain && git diff --stat && git branch"
    done = sandboxd(linked, "exec", "-n", "sh", "-c", reads)
    assert done.returncode == 0 and done.stdout.split()[0] == "one", done.stderr
    assert "* login" in done.stdout
    refused = sandboxd(
        linked, "exec", "-n", "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit",
        "--allow-empty", "-m", "x",
    )  # fmt: skip
    assert refused.returncode != 0 and "ead-only file system" in refused.stderr, refused.stderr
    for repository in (main / ".git", main / ".git/worktrees/login"):
        sandboxd(linked, *plant(repository, startup))
    assert sandboxes.tree(main) == before
    verified = sandboxd(linked, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "is as planned" in sandboxd(linked, "drift").stdout
    git(linked, "commit", "--allow-empty", "-m", "y")
    git(main, "commit", "--allow-empty", "-m", "z")
    assert not startup.exists()
    down = sandboxd(linked, "down")
    assert down.returncode == 0 and "symbolic link" not in down.stderr
