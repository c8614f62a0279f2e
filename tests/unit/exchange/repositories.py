"""Repositories on the host, made by git, and the git directory of a sandbox beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sandboxd.exchange.place import Place, Repository, place_of, repository_of
from sandboxd.exchange.seed import Seed, seed

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "LC_ALL": "C",
    # No git leaves another one behind, which goes on in the background with the repository's upkeep.
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "maintenance.auto",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "gc.autoDetach",
    "GIT_CONFIG_VALUE_1": "false",
}


def git(folder: Path, *words: str, **environ: str) -> str:
    """The output of git in the work tree `folder`."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env={**ENVIRON, **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def make_host(folder: Path, *options: str) -> Path:
    """A work tree with two commits, a branch, a tag, a stash and a change that is not committed."""
    folder = Path(os.path.realpath(folder))
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", *options)
    for text in ("one\n", "two\n"):
        (folder / "file").write_text(text)
        git(folder, "add", "file")
        git(folder, "commit", "-q", "-m", text.strip())
    git(folder, "branch", "feature/a", "HEAD~1")
    git(folder, "tag", "-a", "v1", "-m", "first")
    (folder / "file").write_text("kept\n")
    git(folder, "stash", "-q")
    (folder / "file").write_text("changed\n")
    (folder / "new").write_text("new\n")
    git(folder, "add", "new")
    return folder


class Inside:
    """The git directory that was seeded, as git in the sandbox would use it: in a work tree of its own."""

    def __init__(self, workspace: Path, base: Path) -> None:
        repository = repository_of(str(workspace))
        assert repository is not None
        self.repository: Repository = repository
        self.place: Place = place_of({"XDG_STATE_HOME": str(base / "state")}, str(workspace))
        self.is_new = seed(self.repository, self.place, Seed([f"{repository.common}/objects"]))
        self.folder = base / "inside"
        if not self.folder.exists():
            shutil.copytree(
                workspace, self.folder, symlinks=True, ignore=shutil.ignore_patterns(".git")
            )

    def git(self, *words: str) -> str:
        """The output of git with the folder as its repository, in the copy of the work tree."""
        return git(self.folder, *words, GIT_DIR=self.place.inside, GIT_WORK_TREE=str(self.folder))
