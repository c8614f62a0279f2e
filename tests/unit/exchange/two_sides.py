"""A repository on the host and a sandbox's own git directory that share a work tree, as a mount would have them do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from sandboxd.exchange.objects import TransferFailed
from sandboxd.exchange.place import Place, Repository, place_of, repository_of
from sandboxd.exchange.run import Outcome, exchange
from sandboxd.exchange.seed import Seed, seed
from sandboxd.exchange.state import Mounts
from tests.unit.exchange.repositories import ENVIRON, git


class Sides:
    """Both sides of the work tree `folder`; the sandbox's own git directory is seeded at once."""

    def __init__(self, folder: Path, base: Path, name: str = "") -> None:
        repository = repository_of(str(folder))
        assert repository is not None
        self.folder = folder
        self.repository: Repository = repository
        self.name = name
        self.shut: tuple[str, ...] = ()
        """Paths that the container would have read-only."""
        self.mounts: Callable[[], Mounts] = lambda: Mounts.HELD
        """What would be seen of its mounts."""
        self.place: Place = place_of({"XDG_STATE_HOME": str(base / "state")}, f"{folder}{name}")
        seed(repository, self.place, Seed([f"{repository.common}/objects"]))

    def host(self, *words: str) -> str:
        """The output of git on the host."""
        return git(self.folder, *words)

    def inside(self, *words: str) -> str:
        """The output of git in the sandbox."""
        return git(self.folder, *words, GIT_DIR=self.place.inside, GIT_WORK_TREE=str(self.folder))

    def exchange(self) -> Outcome:
        """Exchange once, and expect no problem."""
        outcome = self.attempt()
        assert outcome.problem is None, outcome
        return outcome

    def attempt(self) -> Outcome:
        """Exchange once, or not."""
        of = (self.repository, self.place, self.name, self.transfer)
        return exchange(*of, shut=self.shut, mounts=self.mounts)

    def transfer(self, wanted: Sequence[str], have: Sequence[str], target: IO[bytes]) -> None:
        """Stands for the exec stream: git inside writes the pack."""
        lines = [*wanted, *(f"^{oid}" for oid in have)]
        done = subprocess.run(
            ["git", "pack-objects", "--revs", "--thin", "--stdout", "-q", "--delta-base-offset"],
            cwd=self.folder,
            env={**ENVIRON, "GIT_DIR": self.place.inside},
            input="".join(f"{line}\n" for line in lines).encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise TransferFailed(done.stderr.decode(errors="replace"))
        target.write(done.stdout)

    def write(self, name: str, text: str) -> None:
        """Write a file of the work tree."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make(base: Path, *options: str) -> Path:
    """A work tree with two commits on `main`, a branch and a tag."""
    folder = Path(os.path.realpath(base)) / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", *options)
    for text in ("one\n", "two\n"):
        (folder / "file").write_text(text)
        git(folder, "add", "file")
        git(folder, "commit", "-q", "-m", text.strip())
    git(folder, "branch", "feature/a", "HEAD~1")
    git(folder, "tag", "-a", "v1", "-m", "first")
    return folder
