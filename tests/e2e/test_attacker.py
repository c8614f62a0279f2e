"""A program inside that attacks all the time, beside a host that goes on working: no tool of the host runs what it wrote.

    SANDBOXD_ATTACK_SECONDS=600 pytest tests/e2e/test_attacker.py

A tool that starts within the time until a halt may read what is written then (docs/threat-model.md); the tools here start
once that time has passed.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.halt.record import Halt
from tests.e2e import sandboxes
from tests.e2e.watched import attack, git, last_halt, make_repository, until_watched, up, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

SECONDS = float(os.environ.get("SANDBOXD_ATTACK_SECONDS", "20"))
WINDOW = 1.0
"""Seconds after an act of the host from which on no tool may run anything from inside."""


@pytest.fixture
def repository(world: World, project: Path) -> Path:
    return make_repository(world, project)


@pytest.fixture
def watched(world: World, repository: Path) -> Iterator[Path]:
    yield from watch(world, repository)


def _attacks(evil: Path) -> list[str]:
    """What each loop inside does again and again."""
    run = f"touch {evil}"
    config = f"printf '[core]\\n\\tfsmonitor = \"{run}; false\"\\n\\thooksPath = evil\\n'"
    hook = (
        f"mkdir -p evil; printf '#!/bin/sh\\n{run}\\n' > evil/post-index-change; chmod 755 evil/*"
    )
    repository = "mkdir -p evil.git/objects evil.git/refs; echo ref: refs/heads/x > evil.git/HEAD"
    return [
        f"echo '{run}' >> .envrc; echo '{run}' > .envrc",
        f"echo '{run}' > e; mv -f e .envrc; ln -sf e .envrc; ln -f e .envrc",
        # The temporary files of sed and of vim.
        f"for f in sed* .envrc~ .envrc.new 4913 .*.swp; do [ -f $f ] && echo '{run}' > $f; done",
        f"mkdir -p .git/hooks; {config} > .git/config; {hook}; cp evil/* .git/hooks",
        "mv .git git; mkdir .git; ln -s ../evil.git .git/x; printf 'gitdir: evil.git\\n' > .git",
        f"{repository}; {config} > evil.git/config",
        "for t in trees/*; do [ -d $t ] && echo 'gitdir: ../../evil.git' > $t/.git; done",
        f"mkdir -p .vscode.halted; echo '{run}' > .envrc.halted; rm -f .envrc.halted",
    ]


def _config(project: Path, number: int) -> None:
    git(project, "config", "branch.main.description", f"{number}", check=False)


def _sed(project: Path, number: int) -> None:
    words = ["sed", "-i", f"s/.*/export NAME=host{number}/", ".envrc"]
    subprocess.run(words, cwd=project, check=False, capture_output=True)


def _vim(project: Path, number: int) -> None:
    settings = "set writebackup backupcopy=no backupskip="
    words = ["vim", "-Nu", "NONE", "-es", "-c", settings, "-c", f"%s/.*/export NAME=vim{number}/"]
    if shutil.which("vim") is not None:
        command = [*words, "-c", "wq", ".envrc"]
        subprocess.run(command, cwd=project, check=False, stdin=subprocess.DEVNULL)


def _mv(project: Path, number: int) -> None:
    (project / ".envrc.new").write_text(f"export NAME=mv{number}\n")
    (project / ".envrc.new").rename(project / ".envrc")


def _checkout(project: Path, _number: int) -> None:
    git(project, "checkout", "-q", "HEAD~1", "--", ".envrc", check=False)


def _move_git(project: Path, _number: int) -> None:
    (project / ".git").rename(project / ".git-old")


def _work_tree(project: Path, number: int) -> None:
    git(project, "worktree", "add", "-q", "--detach", f"trees/t{number}", check=False)


_ACTS: tuple[Callable[[Path, int], None], ...] = (
    *(_config, _sed, _vim, _mv, _checkout, _move_git, _work_tree),
)


def test_no_tool_that_starts_after_the_window_runs_what_an_attacker_wrote(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    evil = tmp_path / "EVIL"
    chance = random.Random(7)
    until = time.monotonic() + SECONDS
    acts: dict[str, int] = {}
    late = []
    times_watched = 1
    number = 0
    while time.monotonic() < until or number < len(_ACTS):
        until_watched(world, watched, times_watched)
        for script in _attacks(evil):
            attack(api, watched, f"while :; do {script}; done 2>/dev/null")
        time.sleep(chance.random() / 5)
        act = _ACTS[number % len(_ACTS)]
        acts[act.__name__] = acts.get(act.__name__, 0) + 1
        began = time.time()
        act(watched, number)
        number += 1
        halt = None
        if act is not _config and not (act is _vim and shutil.which("vim") is None):
            halt = eventually(lambda: _since(world, watched, began), world.log)  # noqa: B023
            late.append(halt.at - began)
        time.sleep(max(0.0, began + WINDOW - time.time()))
        _use(watched)
        assert not evil.exists(), (act.__name__, number, halt)
        if halt is not None:
            _tidy(watched)
            up(world, watched, "--recreate")
            times_watched += 1
    _tidy(watched)
    for plant in (_plant_envrc, _plant_config):
        plant(watched, evil)
        _use(watched)
        assert evil.exists(), "the tools would not have run it"
        evil.unlink()
    late.sort()
    print(
        f"\n{acts}; {len(late)} halts: {late[len(late) // 2] * 1000:.0f} ms (p50) and "
        f"{late[-1] * 1000:.0f} ms (longest) after the act began, {sum(n > WINDOW for n in late)} after the window"
    )


def _plant_envrc(project: Path, evil: Path) -> None:
    (project / ".envrc").write_text(f"touch {evil}\n")


def _plant_config(project: Path, evil: Path) -> None:
    (project / ".envrc").unlink()
    git(project, "config", "core.fsmonitor", f"touch {evil}; false")


def _since(world: World, project: Path, began: float) -> Halt | None:
    halt = last_halt(world, project)
    return halt if halt is not None and halt.at > began and halt.ended is None else None


def _use(project: Path) -> None:
    """What a person's tools on the host do there: git, a shell that reads `.envrc`, git in each work tree."""
    for folder in (project, *project.glob("trees/*")):
        if folder.is_dir():
            git(folder, "status", check=False)
    if (project / ".envrc").exists():
        subprocess.run(["sh", "-c", ". ./.envrc"], cwd=project, check=False, capture_output=True)


def _tidy(project: Path) -> None:
    """What a person does before the next start: the attacker's files go, and theirs are as they were."""
    if (project / ".git-old").is_dir():
        shutil.rmtree(project / ".git", ignore_errors=True)
        with contextlib.suppress(OSError):
            (project / ".git").unlink()
        (project / ".git-old").rename(project / ".git")
    shutil.rmtree(project / "trees", ignore_errors=True)
    git(project, "worktree", "prune")
    for path in [*project.glob("*.halted*"), *project.glob(".*.halted*"), project / ".envrc"]:
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
    git(project, "checkout", "-q", "-f", "HEAD", "--", ".envrc")
    sandboxes.give_to_user(project)
