"""Git on the host over every control file at once, and the folders of other version controls than git."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.daemon.halts import ONE_HALT_SECONDS
from sandboxd.engine.client import Engine
from sandboxd.halt.points import What
from sandboxd.halt.verdict import Action
from tests.e2e import sandboxes
from tests.e2e.watched import attack, git, halt_of, make_repository, state, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

CONTROL = (
    *(".envrc", ".gitattributes", ".npmrc", ".pre-commit-config.yaml", "AGENTS.md"),
    *("app.code-workspace", "lefthook.yml", "rust-toolchain", "sandboxd.toml"),
)
OTHERS = (".hg", ".jj", ".sl")
"""Folders of other version controls, each with a file whose settings run programs."""


@pytest.fixture
def repository(world: World, project: Path) -> Path:
    """A project whose control files differ between its last two commits; no sandbox yet."""
    for name in CONTROL:
        with (project / name).open("a") as file:
            file.write("# one\n")
    for name in OTHERS:
        (project / name / "store").mkdir(parents=True)
        (project / name / "config").write_text("[hooks]\n")
    (project / ".gitignore").write_text("".join(f"{name}*\n" for name in OTHERS))
    make_repository(world, project)
    _write_all(project, "# two\n")
    git(project, "commit", "-qam", "three")
    sandboxes.give_to_user(project)
    assert world.run("trust", "add", "--yes", cwd=project).returncode == 0
    return project


@pytest.fixture
def watched(world: World, repository: Path) -> Iterator[Path]:
    """The same, whose sandbox runs and is watched by a daemon."""
    yield from watch(world, repository)


def _write_all(project: Path, line: str) -> None:
    """Write into the files, as an editor does that does not replace them."""
    for name in CONTROL:
        with (project / name).open("a") as file:
            file.write(line)


def _stash(project: Path) -> None:
    _write_all(project, "# work\n")
    git(project, "stash", "-q")


def _checkout(project: Path) -> None:
    git(project, "checkout", "-q", "HEAD~1", "--", *CONTROL)


@pytest.mark.parametrize("act", [_stash, _checkout])
def test_git_over_each_control_file_is_one_halt_that_names_all(
    world: World, api: Engine, watched: Path, act: Callable[[Path], None]
) -> None:
    began = time.monotonic()
    act(watched)
    is_one_breath = time.monotonic() - began < ONE_HALT_SECONDS
    halt_of(world, watched)

    def names() -> set[str]:
        return {e.path for e in halt_of(world, watched).entries if e.what}

    if is_one_breath:
        eventually(lambda: names() == {*CONTROL}, world.log)
    else:
        # On a slow machine git may rest between two files for as long as the daemon waits for more.
        assert names() and names() <= {*CONTROL}
    # Git removes a file before it makes the new one: the watch may have looked in between.
    seen = {e.what for e in halt_of(world, watched).entries if e.what}
    assert seen <= {What.REPLACED, What.REMOVED}
    assert state(api, watched) == "paused"


def _rename(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}-old"))


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder)
    # A program inside may make one first.
    folder.mkdir(exist_ok=True)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("act", [_rename, _make_anew])
def test_the_folder_of_another_version_control_is_shut_and_watched_as_git_s_own_is(
    world: World, api: Engine, watched: Path, name: str, act: Callable[[Path], None]
) -> None:
    folder = watched / name
    write = f"echo evil > {name}/config; mv {name} x; echo evil > {name}/sharedpath"
    assert world.run("exec", "-n", "--", "sh", "-c", write, cwd=watched).returncode != 0
    assert [path.name for path in sorted(folder.iterdir())] == ["config", "store"]
    # What its own tool does on the host: a lock, then the new file in the place of the old one.
    (folder / "config.lock").write_text("[hooks]\n# later\n")
    (folder / "config.lock").rename(folder / "config")
    assert state(api, watched) == "running"
    plant = f"mkdir -p {name} && echo evil > {name}/config"
    attack(api, watched, f"while :; do {plant}; done 2>/dev/null")
    act(folder)
    halt = halt_of(world, watched)
    assert [entry.path for entry in halt.entries if entry.what] == [name]
    assert state(api, watched) == "paused"
    outcome = halt.entries[0].outcome
    assert outcome is not None and outcome.action in (Action.SET_ASIDE, Action.LEFT)
    config = folder / "config"
    assert not config.exists() or "evil" not in config.read_text()


@pytest.fixture
def mercurial(world: World, repository: Path, tmp_path: Path) -> Callable[..., None]:
    """Mercurial as the host's user runs it, in a repository at the top, whose config it believes."""
    if shutil.which("hg") is None:
        pytest.skip("no Mercurial on this machine")
    config = tmp_path / "hgrc"
    config.write_text("[ui]\nusername = Ann\n[trusted]\nusers = *\n")

    def run(*words: str) -> None:
        environ = {**os.environ, "HGRCPATH": str(config)}
        command = ["hg", *words]
        subprocess.run(command, cwd=repository, env=environ, check=True, capture_output=True)

    shutil.rmtree(repository / ".hg")
    run("init")
    run("add", "main.py")
    run("commit", "-m", "one")
    sandboxes.give_to_user(repository)
    return run


def test_mercurial_on_the_host_runs_nothing_from_inside(
    world: World, api: Engine, mercurial: Callable[..., None], watched: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    hook = f"'[hooks]\\npre-status = touch {canary}\\n'"
    plant = f"mkdir -p .hg; printf {hook} > .hg/hgrc; printf shared > .hg/requires"
    world.run("exec", "-n", "--", "sh", "-c", f"{plant}; mv .hg x; {plant}", cwd=watched)
    (watched / "main.py").write_text("print(2)\n")
    for words in (["status"], ["commit", "-m", "two"], ["update", "0"], ["verify"], ["status"]):
        mercurial(*words)
    assert not canary.exists() and state(api, watched) == "running"
    attack(api, watched, f"while :; do {plant}; done 2>/dev/null")
    (watched / ".hg").rename(watched / ".hg-old")
    halt_of(world, watched)
    assert not (watched / ".hg/hgrc").exists()
    # The proof that it would run what is planted there.
    shutil.rmtree(watched / ".hg", ignore_errors=True)
    (watched / ".hg-old").rename(watched / ".hg")
    (watched / ".hg/hgrc").write_text(f"[hooks]\npre-status = touch {canary}\n")
    mercurial("status")
    assert canary.exists()
