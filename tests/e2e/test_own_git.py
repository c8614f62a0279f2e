"""The git directory of its own inside: what is put into it is planted, then the real git of the host runs."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Sandboxd = Callable[..., subprocess.CompletedProcess[str]]

# CANARY is made on the host by whoever runs PROGRAM there; STARTUP is a file that a shell of the user's reads.
PLANT = """
printf '#!/bin/sh\\ntouch CANARY\\nexit 1\\n' > PROGRAM; chmod +x PROGRAM
own=$(git rev-parse --absolute-git-dir)
git config core.hooksPath "$PWD/hooks"
git config core.editor PROGRAM
git config include.path "$PWD/more"
git config core.fsmonitor PROGRAM
printf '[core]\\n\\tfsmonitor = PROGRAM\\n' > more
printf '[core]\\n\\tfsmonitor = PROGRAM\\n' > $own/config.worktree
mkdir -p $own/hooks hooks $own/logs/refs/heads
for hook in pre-commit post-commit reference-transaction post-index-change post-checkout; do
    cp PROGRAM $own/hooks/$hook; cp PROGRAM hooks/$hook
done
echo 'touch CANARY' > $own/SQUASH_MSG
for file in COMMIT_EDITMSG MERGE_MSG FETCH_HEAD logs/HEAD logs/refs/heads/main packed-refs; do
    ln -sf STARTUP $own/$file
done
"""


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[tuple[str, Callable[[], bool]]]:
    """What to run inside, and whether git on the host acted upon it since."""
    canary, startup = tmp_path / "canary", tmp_path / ".zshenv"
    # A path that inside has, too: there the attack is tried out on its own git.
    program = Path(f"/tmp/{secrets.token_hex(8)}")
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    program.chmod(0o755)
    text = PLANT.replace("PROGRAM", str(program)).replace("CANARY", str(canary))
    yield text.replace("STARTUP", str(startup)), lambda: canary.exists() or startup.exists()
    program.unlink()


def use(workspace: Path) -> None:
    """What a person and an editor do there."""
    branch = git(workspace, "branch", "--show-current").strip()
    remote = str(workspace.parent / "remote.git")
    with (workspace / "main.py").open("a") as file:
        file.write("print(3)\n")
    for words in (
        ("config", f"branch.{branch}.description", "x"),
        ("status",),
        ("remote", "add", "other", "https://example.org/x.git"),
        ("commit", "-q", "--allow-empty", "-m", "two"),
        ("commit", "-q", "--allow-empty"),
        # VS Code writes it where the folder is merely opened.
        ("config", f"branch.{branch}.vscode-merge-base", "origin/main"),
        ("init", "-q", "--bare", remote),
        ("remote", "add", "there", remote),
        ("push", "-q", "-u", "there", branch),
        ("remote", "rename", "there", "elsewhere"),
        ("gc", "-q", "--prune=now"),
        ("maintenance", "run"),
        ("stash",),
        ("stash", "pop"),
        ("stash", "list"),
        ("rebase", "-q", branch),
        ("switch", "-q", "-c", "topic"),
        ("merge", "-q", branch),
        ("fetch", "-q", "."),
        ("status",),
    ):
        git(workspace, *words, check=False)


def git(folder: Path, *words: str, check: bool = True) -> str:
    """The output of the user's git on the host, the editor one that changes nothing."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"}
    setting = ["-c", "safe.directory=*", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(
        ["git", *setting, "-C", str(folder), *words],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


@pytest.fixture
def main(own_home: Path, tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A repository with a work tree beside it, whose config holds a secret."""
    (own_home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    folder = tmp_path / "main"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    (folder / "main.py").write_text("print(1)\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "remote", "add", "origin", "https://ann:secret@example.org/shop.git")
    git(folder, "worktree", "add", "-q", "-b", "login", str(tmp_path / "login"))
    for place in (folder, tmp_path / "login"):
        sandboxes.give_to_user(place)
        if runtime == "runc":
            sandboxes.grant(place)
    return folder


@pytest.fixture(params=["main", "login"])
def workspace(main: Path, request: pytest.FixtureRequest) -> Path:
    """An ordinary work tree, and a linked one."""
    return main.parent / str(request.param)


@pytest.fixture
def sandboxd(engine: str) -> Iterator[Sandboxd]:
    started: list[Path] = []

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        started.append(folder)
        return sandboxes.run(engine, folder, *words)

    yield run
    for folder in started:
        sandboxes.run(engine, folder, "down", "--discard")


def inside(sandboxd: Sandboxd, folder: Path, text: str) -> str:
    done = sandboxd(folder, "exec", "-n", "sh", "-c", text)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_from_inside_runs_on_the_host(
    sandboxd: Sandboxd, workspace: Path, planted: tuple[str, Callable[[], bool]]
) -> None:
    """By everyday acts of git on the host, also those that replace files of `.git`."""
    text, acted = planted
    up = sandboxd(workspace, "up")
    assert up.returncode == 0, up.stderr
    inside(sandboxd, workspace, text)
    use(workspace)
    assert git(workspace, "log", "-1", "--format=%s") == "two\n"
    assert not acted()
    assert sandboxd(workspace, "down").returncode == 0
    use(workspace)
    assert not acted()


@pytest.mark.parametrize("runtime", ["runc"])
def test_in_the_host_s_own_git_directory_it_would(
    api: Engine,
    main: Path,
    host_facts: HostFacts,
    planted: tuple[str, Callable[[], bool]],
) -> None:
    """The attack itself: else the test above could not fail."""
    text, acted = planted
    with sandboxes.without_pins(api, main, host_facts) as container:
        run_quietly(api, container, Exec(["sh", "-c", text], env=["HOME=/tmp"]))
        use(main)
    assert acted()


WORK = """
set -e
git config --get user.name >/dev/null
echo two > two.txt; git add two.txt; git commit -qm two
echo three >> main.py; git stash -q; git stash pop -q; git checkout -q main.py
git switch -q -c side HEAD~1; echo s > s.txt; git add s.txt; git commit -qm side
git rebase -q -; git log --format='%s %an <%ae>' -2
git gc -q; git fsck --no-dangling --no-progress; git status --porcelain
"""


def test_git_inside_works_on_the_objects_of_the_host(sandboxd: Sandboxd, workspace: Path) -> None:
    shown = {
        words: git(workspace, *words.split())
        for words in (
            "log --format=%H",
            "status --porcelain",
            "rev-parse main login",
            "ls-files -s",
        )
    }
    assert sandboxd(workspace, "up").returncode == 0
    for words, output in shown.items():
        assert inside(sandboxd, workspace, f"git {words}") == output
    lines = inside(sandboxd, workspace, WORK).splitlines()
    assert lines == ["side Ann <ann@example.org>", "two Ann <ann@example.org>"]
    # Work goes on while the host packs and prunes, and after a new start.
    git(workspace, "gc", "-q", "--prune=now")
    inside(
        sandboxd,
        workspace,
        "git fsck --no-dangling --no-progress && git commit -q --allow-empty -m x",
    )
    assert sandboxd(workspace, "down").returncode == 0
    assert sandboxd(workspace, "up").returncode == 0
    assert inside(sandboxd, workspace, "git log --format=%s -1") == "x\n"


def files_of_user(common: Path) -> dict[str, tuple[int, bytes]]:
    """What is in the host's repository, but for the refs by which sandboxd holds what inside has of it."""
    return {
        path: state
        for path, state in sandboxes.tree(common).items()
        if not path.startswith("refs/sandboxd")
    }


def test_nothing_of_the_host_s_git_but_objects_is_inside(
    sandboxd: Sandboxd, workspace: Path
) -> None:
    assert sandboxd(workspace, "up").returncode == 0
    common = Path(git(workspace, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    (common / "secret").write_text("secret")
    where = inside(sandboxd, workspace, "git rev-parse --absolute-git-dir").strip()
    assert inside(sandboxd, workspace, f"grep -rl secret {where} /sandboxd || true") == ""
    assert (
        inside(sandboxd, workspace, "git remote get-url origin") == "https://example.org/shop.git\n"
    )
    before = files_of_user(common)
    attack = (
        f"rm -rf {where}/* {where}/.[a-z]*; rm -rf /sandboxd/git/objects/*; mv {where} {where}x;"
        f"echo x > /sandboxd/git/objects/x; chmod -R 777 /sandboxd/git/objects; rmdir {where}; true"
    )
    inside(sandboxd, workspace, attack)
    assert files_of_user(common) == before
    verified = sandboxd(workspace, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert files_of_user(common) == before
    assert "is as planned" in sandboxd(workspace, "drift").stdout


def test_an_image_without_git_starts(
    sandboxd: Sandboxd, main: Path, busybox_image: str, runtime: str
) -> None:
    (main / "sandboxd.toml").write_text(f'image = "{busybox_image}"\nruntime = "{runtime}"\n')
    if runtime == "runc":
        sandboxes.grant(main)
    assert sandboxd(main, "up").returncode == 0
    assert "HEAD" in inside(sandboxd, main, "ls .git")
    assert sandboxd(main, "down").returncode == 0


def test_a_work_tree_in_the_workspace_leads_git_on_the_host_nowhere_else(
    sandboxd: Sandboxd, main: Path, planted: tuple[str, Callable[[], bool]]
) -> None:
    git(main, "worktree", "add", "-q", "trees/one")
    sandboxes.give_to_user(main)
    text, acted = planted
    assert sandboxd(main, "up").returncode == 0
    evil = "[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = PROGRAM\\n\\tworktree = ../trees/one\\n"
    program = text.partition("core.editor ")[2].partition("\n")[0]
    plant = (
        f"cp -r .git evil; printf '{evil.replace('PROGRAM', program)}' > evil/config; "
        "echo 'gitdir: ../../evil' > trees/one/.git; "
        "mv trees/one trees/two && cp -r trees/two trees/one; "
        "mv trees trees2 && cp -r trees2 trees; echo 'gitdir: ../../evil' > trees/one/.git; true"
    )
    inside(sandboxd, main, f"exec 2>/dev/null; {plant}")
    git(main / "trees/one", "status")
    assert not acted()
    assert sandboxd(main, "down").returncode == 0
    # The proof that it would have run.
    (main / "trees/one/.git").write_text("gitdir: ../../evil\n")
    git(main / "trees/one", "status", check=False)
    assert acted()
