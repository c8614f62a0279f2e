"""Git on the host in a workspace that a sandbox could write: nothing from inside runs, and git inside works."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.exchange import of_container
from sandboxd.host.facts import HostFacts
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

SAFE = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "protocol.file.allow",
    "GIT_CONFIG_VALUE_1": "always",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}

# Tried inside, one after the other; PROGRAM is what the host would run.
ATTACKS = {
    "hooks that the config names": "echo 'touch CANARY' > .husky/pre-commit; chmod +x .husky/pre-commit",
    "a config that the config includes": "printf '[core]\\nfsmonitor=PROGRAM\\n' > .gitconfig",
    "the config of the work tree": "printf '[core]\\nfsmonitor=PROGRAM\\n' > .git/config.worktree",
    "the config of a submodule": (
        "printf '[core]\\nworktree=../../../lib\\nfsmonitor=PROGRAM\\n' > .git/modules/lib/config"
    ),
    "the repository of a linked work tree": (
        "cp -r .git evil; printf '[core]\\nfsmonitor=PROGRAM\\n' > evil/config;"
        " echo ../../../evil > .git/worktrees/linked/commondir"
    ),
    "no HEAD, and a bare repository at the top": (
        "cp -r .git/refs .git/objects .; cp .git/HEAD HEAD; rm commondir; rmdir commondir;"
        " printf '[core]\\nrepositoryformatversion=0\\nbare=false\\nworktree=.\\nfsmonitor=PROGRAM\\n' > config;"
        " mv .git/HEAD .git/H"
    ),
}


@pytest.fixture
def repository(tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A repository with hooks in the work tree, an include, a submodule and a linked work tree."""
    root = tmp_path / "work"
    other = tmp_path / "other"
    for folder in (root, other):
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
    git(other, "commit", "-q", "--allow-empty", "-m", "x")
    (root / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    (root / ".husky").mkdir()
    (root / ".husky/readme").write_text("x")
    (root / ".gitconfig").write_text("")
    (root / "main.py").write_text("print(1)\n")
    git(root, "submodule", "add", "-q", str(other), "lib")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "branch", "other")
    git(root, "worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    git(root, "config", "core.hooksPath", ".husky")
    git(root, "config", "include.path", "../.gitconfig")
    git(root, "config", "extensions.worktreeConfig", "true")
    sandboxes.give_to_user(root)
    if runtime == "runc":
        sandboxes.grant(root)
    return root


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **SAFE},
    )
    return done.stdout + done.stderr


def used_on_the_host(root: Path) -> None:
    """What a person does there after the work inside."""
    git(root, "status")
    git(root, "commit", "--allow-empty", "-m", "x")
    git(root.parent / "linked", "status")


def attack(api: Engine, container: str, name: str, canary: Path) -> None:
    program = canary.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    program.chmod(0o755)
    text = ATTACKS[name].replace("CANARY", str(canary)).replace("PROGRAM", str(program))
    run_quietly(api, container, Exec(["sh", "-c", text]))


# Those that leave a repository where they found one share a sandbox.
*SHARING, ALONE = ATTACKS


@pytest.mark.parametrize("names", [SHARING, [ALONE]], ids=["a repository stays", ALONE])
def test_nothing_from_inside_runs(
    api: Engine, repository: Path, host_facts: HostFacts, names: list[str], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    with sandboxes.started(api, repository, host_facts) as container:
        for name in names:
            attack(api, container, name, canary)
            used_on_the_host(repository)
            assert not canary.exists(), name
    used_on_the_host(repository)
    assert not canary.exists()


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("runtime", ["runc"])
def test_without_the_pins_it_would(
    api: Engine, repository: Path, host_facts: HostFacts, name: str, tmp_path: Path
) -> None:
    """The attack itself: else the test above could not fail."""
    canary = tmp_path / "canary"
    with sandboxes.without_pins(api, repository, host_facts) as container:
        attack(api, container, name, canary)
        used_on_the_host(repository)
    assert canary.exists()


WORK = """
set -e
cd lib && cd ..
git status --short; echo two >> main.py; git add main.py; git commit -qm two
git stash list; echo three >> main.py; git stash -q; git stash pop -q; git checkout -q -- main.py
git switch -q other; echo a > new.py; git add new.py; git commit -qm other
git rebase -q main; git switch -q main; git merge -q --no-edit other
git branch topic; git fetch -q ORIGIN; git tag one; git gc -q
git log --oneline | wc -l; git status --short --ignore-submodules
"""


def test_git_inside_works(
    api: Engine, repository: Path, host_facts: HostFacts, tmp_path: Path
) -> None:
    environ = [f"{name}={value}" for name, value in SAFE.items()]
    with sandboxes.started(api, repository, host_facts) as container:
        own = of_container.own_git_of({}, api.inspect(container))
        assert own is not None
        sandboxes.open_to_user(tmp_path, Path(tempfile.gettempdir()))
        # As `up` does: what both have then is where the work begins.
        of_container.exchange_with(api, os.environ, container, own)
        # A remote that is reached without a network.
        text = WORK.replace("ORIGIN", "./lib HEAD")
        code, output = run_quietly(
            api, container, Exec(["bash", "-c", text], env=environ), 5 * PATIENCE
        )
        shown = output.decode()
        assert code == 0, shown
        assert shown.split()[-1] == "3", shown
        outcome = of_container.exchange_with(api, os.environ, container, own)
        assert outcome.problem is None and outcome.waiting == (), outcome
    assert git(repository, "status", "--short", "--ignore-submodules") == ""
    assert (
        "other" in git(repository, "log", "--oneline")
        and git(repository, "fsck", "--no-dangling") == ""
    )
