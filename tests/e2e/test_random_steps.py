"""Random steps of git on the host and in a real sandbox, whose container writes nothing below the host's `.git`.

SANDBOXD_FUZZ=1000 SANDBOXD_FUZZ_SEED=7 pytest tests/e2e/test_random_steps.py
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.exchange import of_container
from sandboxd.exchange.run import Outcome
from sandboxd.host.facts import HostFacts
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.integration.exchange.outside_log import Log
from tests.integration.exchange.random_steps import ABORTS, OWN, SEED, Actors, Run, play, steps
from tests.patience import PATIENCE
from tests.unit.exchange.repositories import ENVIRON

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

USER = 1000
HOOKS = ("reference-transaction", "post-index-change", "post-checkout")
INSIDE = [
    f"{name}={value}"
    for name, value in ENVIRON.items()
    if name.startswith(("GIT_A", "GIT_COM", "LC"))
]
QUIET = ("-c", "maintenance.auto=false", "-c", "gc.autoDetach=false")


@pytest.fixture
def repository(tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A repository with hooks and filters that would show that they ran, and a remote that both sides reach."""
    root = tmp_path / "work"
    root.mkdir()
    (root / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    (root / ".gitattributes").write_text("* filter=evil\n")
    mark = tmp_path / "PWNED"
    hooks = root / ".husky"
    hooks.mkdir()
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\n{OWN} || echo {name} >>{mark}\n")
        (hooks / name).chmod(0o755)
    sandboxes.give_to_user(root)
    sandboxes.open_to_user(root)
    git(root, "init", "-q", "-b", "main")
    (root / ".git/info/exclude").write_text(
        "remote.git/\n.vscode/\n.devcontainer*\ncommondir/\nhooks/\n"
    )
    git(root, "add", "-A")
    for text in ("zero\n", "one\n", "two\n"):
        (root / "file").write_text(text)
        git(root, "add", "file")
        git(root, "commit", "-qm", text.strip())
    git(root, "branch", "feature/a", "HEAD~1")
    git(root, "init", "-q", "--bare", "remote.git")
    git(root, "remote", "add", "origin", "./remote.git")
    git(root, "push", "-q", "origin", "main")
    git(root, "fetch", "-q")
    for key, value in (
        ("core.hooksPath", ".husky"),
        ("core.fsmonitor", f"{OWN} || echo fsmonitor >>{mark}; false"),
        ("filter.evil.clean", f"{OWN} || echo clean >>{mark}; cat"),
    ):
        git(root, "config", key, value)
    sandboxes.give_to_user(root)
    if runtime == "runc":
        sandboxes.grant(root)
    return root


def git(root: Path, *words: str, check: bool = True) -> tuple[int, str]:
    """Git as the owner of the workspace runs it on the host: exit code and output."""
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        env={**ENVIRON, "OF_THE_TEST": "1", "GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no"},
        user=USER,
        group=USER,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=check,
    )
    return done.returncode, done.stdout + done.stderr


class InContainer(Actors):
    """The host, and a sandbox that runs."""

    def __init__(self, root: Path, api: Engine, container: str, seed: int) -> None:
        own = of_container.own_git_of({}, api.inspect(container))
        assert own is not None
        self._root, self._api, self._container, self._own = root, api, container, own
        self._top = api.inspect(container)["Config"]["WorkingDir"]
        self.mark = root.parent / "PWNED"
        hooks = Path(own.place.inside) / "hooks"
        hooks.mkdir(exist_ok=True)
        for name in HOOKS:
            (hooks / name).write_text(f"#!/bin/sh\n{OWN} || echo {name} >>{self.mark}\n")
            (hooks / name).chmod(0o755)
        self.random = random.Random(seed)
        self.read_only = True
        self.log = Log(own.repository.common)
        self.count = 0
        self.commits: set[str] = set()

    def host(self, *words: str) -> tuple[int, str]:
        return git(self._root, *words, check=False)

    def inside(self, *words: str) -> tuple[int, str]:
        return self._exec(["git", "-C", self._top, *QUIET, *words])

    def _exec(self, command: list[str]) -> tuple[int, str]:
        environ = [*INSIDE, "OF_THE_TEST=1", "GIT_EDITOR=true", "GIT_MERGE_AUTOEDIT=no"]
        request = Exec(command, env=environ)
        code, output = run_quietly(self._api, self._container, request, 5 * PATIENCE)
        return code, output.decode(errors="replace")

    def exchange(self) -> Outcome:
        with self.log.phase("exchange"):
            outcome = of_container.exchange_with(self._api, os.environ, self._container, self._own)
        assert outcome.problem is None, outcome
        return outcome

    def write(self, name: str, text: str) -> None:
        path = self._root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        for each in (path, path.parent):
            os.lchown(each, USER, USER)

    def abort(self, run: Run) -> None:
        if run != self.inside:
            super().abort(run)
            return
        lines = "".join(f"git {' '.join(words)}; " for words in ABORTS)
        self._exec(["sh", "-c", f"cd '{self._top}'; {lines}"])


def test_no_commit_is_lost_and_nothing_of_the_host_s_git_is_written_from_inside(
    api: Engine, repository: Path, host_facts: HostFacts, tmp_path: Path
) -> None:
    with sandboxes.started(api, repository, host_facts) as container:
        play(InContainer(repository, api, container, SEED), steps(15))
