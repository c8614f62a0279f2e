"""What the host replaces halts the sandbox, on a real engine: its everyday tools, and an attacker inside."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Engine
from sandboxd.halt import record
from sandboxd.halt.record import Reason
from sandboxd.halt.verdict import Action
from sandboxd.model.labels import PROJECT
from tests.e2e.watched import (
    ENVRC,
    attack,
    git,
    halt_of,
    last_halt,
    make_repository,
    state,
    up,
    watch,
)
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Act = Callable[[Path], None]
EVIL = "touch /tmp/EVIL"


@pytest.fixture
def repository(world: World, project: Path) -> Path:
    """A project under git with a control file at its top; no sandbox yet."""
    return make_repository(world, project)


@pytest.fixture
def watched(world: World, repository: Path) -> Iterator[Path]:
    """The same, whose sandbox runs and is watched by a daemon."""
    yield from watch(world, repository)


def _sed(project: Path) -> None:
    subprocess.run(["sed", "-i", "s/host/other/", ".envrc"], cwd=project, check=True)


def _by_backup(project: Path) -> None:
    """As vim saves a file (`backupcopy=no`): the old one is renamed, a new one written."""
    (project / ".envrc").rename(project / ".envrc~")
    (project / ".envrc").write_text("export NAME=vim\n")
    (project / ".envrc~").unlink()


def _vim(project: Path) -> None:
    command = [
        "vim",
        "-Nu",
        "NONE",
        "-es",
        "-c",
        "set writebackup backupcopy=no backupskip=",
        "-c",
        "%s/host/vim/",
        "-c",
        "wq",
        ".envrc",
    ]
    subprocess.run(command, cwd=project, check=True, stdin=subprocess.DEVNULL)


def _checkout(project: Path) -> None:
    git(project, "checkout", "-q", "HEAD~1", "--", ".envrc")


def _stash(project: Path) -> None:
    with (project / ".envrc").open("a") as file:
        file.write("export WIP=1\n")
    git(project, "stash", "-q")


def _remove(project: Path) -> None:
    (project / ".envrc").unlink()


@pytest.mark.parametrize("act", [_sed, _by_backup, _vim, _checkout, _stash, _remove])
def test_a_control_file_that_a_tool_replaces_halts(
    world: World, api: Engine, watched: Path, act: Act
) -> None:
    if act is _vim and shutil.which("vim") is None:
        pytest.skip("no vim on this machine")
    act(watched)
    halt = halt_of(world, watched)
    assert ".envrc" in [entry.path for entry in halt.entries]
    assert halt.reason is Reason.REPLACED
    assert state(api, watched) == "paused"
    for command in (["exec", "-n", "true"], ["up"], ["restart"], ["cp", ":main.py", "x"]):
        done = world.run(*command, cwd=watched)
        assert done.returncode == 4, (command, done.stderr)
        assert "halted" in done.stderr and "`.envrc`" in done.stderr, (command, done.stderr)
        assert "sandboxd up --recreate" in done.stderr, (command, done.stderr)
        assert state(api, watched) == "paused"
    up(world, watched, "--recreate")
    assert world.run("exec", "-n", "true", cwd=watched).returncode == 0
    ended = last_halt(world, watched)
    assert ended is not None and ended.ended is record.Ended.REMADE
    lines = world.run("audit", "--json", cwd=watched).stdout.splitlines()
    said = [e for e in map(json.loads, lines) if e["kind"].startswith("halt")]
    assert [e["kind"] for e in said] == ["halt", "halt-ended"]
    for each in said:
        assert each["facts"]["owner"] == "daemon" and each["facts"]["reason"] == "replaced"
        assert any(path.startswith(".envrc: ") for path in each["facts"]["paths"])


def test_a_config_that_is_edited_halts_until_the_next_start(
    world: World, api: Engine, watched: Path
) -> None:
    new = watched / "sandboxd.toml.new"
    new.write_text((watched / "sandboxd.toml").read_text() + "\n# edited\n")
    new.rename(watched / "sandboxd.toml")
    assert [entry.path for entry in halt_of(world, watched).entries] == ["sandboxd.toml"]
    assert "edited" in (watched / "sandboxd.toml").read_text()
    assert "`sandboxd up` makes it anew" in world.run("exec", "-n", "true", cwd=watched).stderr
    assert world.run("trust", "add", "--yes", cwd=watched).returncode == 0
    up(world, watched)
    assert world.run("exec", "-n", "true", cwd=watched).returncode == 0


def test_what_an_attacker_writes_meanwhile_is_not_there_for_a_later_tool(
    world: World, api: Engine, watched: Path
) -> None:
    for name in ("one", "two", "three"):
        loop = f"while :; do echo '{EVIL}' >> .envrc; echo '{EVIL}' > .envrc; done 2>/dev/null"
        attack(api, watched, f"touch {name}; {loop}")
        eventually((watched / name).exists)
    _sed(watched)
    halt = halt_of(world, watched)
    (entry,) = [entry for entry in halt.entries if entry.path == ".envrc"]
    assert entry.outcome is not None
    if entry.outcome.action is Action.PUT_BACK:
        assert (watched / ".envrc").read_text() == ENVRC + "export MORE=1\n"
    else:
        # It wrote into the old file, in the moment in which its mount was gone and its name was not.
        assert entry.outcome.action is Action.SET_ASIDE
        assert not (watched / ".envrc").exists()
    assert (watched / entry.outcome.aside).exists()
    assert entry.outcome.aside in world.run("exec", "-n", "true", cwd=watched).stderr


def test_who_writes_and_ends_its_own_container_gains_nothing(
    world: World, api: Engine, watched: Path
) -> None:
    """Before the halt: the engine has nothing to pause then."""
    take = "until mv evil .envrc; do :; done 2>/dev/null; trap : TERM; kill 1; kill -9 -1"
    attack(api, watched, f"echo '{EVIL}' > evil; touch ready; {take}")
    eventually((watched / "ready").exists)
    _sed(watched)
    halt = halt_of(world, watched)
    (entry,) = [entry for entry in halt.entries if entry.path == ".envrc"]
    assert entry.outcome is not None and entry.outcome.action is not Action.LEFT
    assert not (watched / ".envrc").exists() or EVIL not in (watched / ".envrc").read_text()
    done = world.run("up", cwd=watched)
    assert done.returncode == 4 and "sandboxd up --recreate" in done.stderr, done.stderr


def test_nothing_inside_runs_while_a_halted_one_is_removed(
    world: World, api: Engine, watched: Path
) -> None:
    """An engine resumes what it kills, and what lost its mount can be written until the last process is dead."""
    for number in range(20):
        loop = f"while :; do echo x > beat-{number}; echo '{EVIL}' > .envrc; done 2>/dev/null"
        attack(api, watched, loop)
        eventually((watched / f"beat-{number}").exists)
    _sed(watched)
    halt_of(world, watched)
    eventually(lambda: state(api, watched) == "paused")
    (watched / ".envrc").unlink(missing_ok=True)
    (watched / ".envrc").write_text(ENVRC)

    def beats() -> list[int]:
        return [path.stat().st_mtime_ns for path in sorted(watched.glob("beat-*"))]

    before = beats()
    # As a person ends what an editor started, whose halt names this command.
    (container,) = api.containers(f"{PROJECT}={watched}")
    eventually(lambda: removed(api, container.id), world.log)
    assert beats() == before
    assert (watched / ".envrc").read_text() == ENVRC


def removed(api: Engine, container: str) -> bool:
    """Remove it, and say whether it is gone: the engine may give up on a paused gVisor a moment before it ends."""
    with contextlib.suppress(failures.EngineFailure):
        api.remove(container)
    try:
        api.inspect(container)
    except failures.ContainerGone:
        return True
    return False


def is_removed(path: Path, folder: os.stat_result) -> bool:
    """Remove a folder, and say whether it is gone: the daemon may just write a ref there, so that it is not empty."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        return not os.path.samestat(os.lstat(path), folder)
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("again", [False, True])
def test_a_git_folder_that_is_renamed_or_made_anew_halts(
    world: World, api: Engine, watched: Path, again: bool
) -> None:
    plant = f"mkdir -p .git; printf '[core]\\nfsmonitor = \"{EVIL}; false\"\\n' > .git/config"
    folder = os.lstat(watched / ".git")
    attack(api, watched, f"while :; do {plant}; done 2>/dev/null")
    if again:
        eventually(lambda: is_removed(watched / ".git", folder))
        subprocess.run(["git", "init", "-q"], cwd=watched, check=False, capture_output=True)
    else:
        (watched / ".git").rename(watched / ".git2")
    halt = halt_of(world, watched)
    # To remove the folder begins with a file that is shut by itself.
    assert all(entry.path.startswith(".git") for entry in halt.entries)
    assert state(api, watched) == "paused"
    config = watched / ".git/config"
    assert not config.exists() or EVIL not in config.read_text()


def test_objects_of_the_host_that_are_moved_away_halt(
    world: World, api: Engine, watched: Path
) -> None:
    objects = watched / ".git/objects"
    objects.rename(objects.with_name("old"))
    halt = halt_of(world, watched)
    assert [entry.path for entry in halt.entries] == [".git/objects"]
    assert state(api, watched) == "paused"
    objects.with_name("old").rename(objects)


def test_a_moved_project_halts_and_keeps_its_files(
    world: World, api: Engine, watched: Path
) -> None:
    watched.rename(watched.with_name("moved"))
    halt = halt_of(world, watched)
    assert state(api, watched) == "paused"
    assert [entry.path for entry in halt.entries if entry.outcome is not None] == []
    watched.with_name("moved").rename(watched)


def test_what_was_replaced_in_a_project_that_moves_is_put_aside_there(
    world: World, api: Engine, watched: Path
) -> None:
    moved = watched.with_name("moved")
    before = (watched / ".envrc").read_text()
    attack(api, watched, "while :; do echo evil > .envrc; done 2>/dev/null")
    _sed(watched)
    watched.rename(moved)
    halt_of(world, watched)
    assert state(api, watched) == "paused"
    assert (moved / ".envrc").read_text() in (before, before.replace("host", "other"))
    moved.rename(watched)


def test_our_own_files_halt_nothing(world: World, api: Engine, watched: Path) -> None:
    with (watched / "sandboxd.toml").open("a") as file:
        file.write('\n[environment]\nGREETING = "hi"\n')
    assert world.run("trust", "add", "--yes", cwd=watched).returncode == 0
    assert world.run("generate", cwd=watched).returncode == 0
    assert world.run("generate", cwd=watched).returncode == 0
    assert state(api, watched) == "running"
    # Seen after all of that: the events come in order.
    _remove(watched)
    assert [entry.path for entry in halt_of(world, watched).entries] == [".envrc"]


def test_a_control_file_that_comes_later_halts_nothing_and_drift_names_it(
    world: World, api: Engine, watched: Path
) -> None:
    """A program inside may have made it: a start shuts what is there by then."""
    assert "lefthook.yml" not in world.run("drift", cwd=watched).stdout
    (watched / "lefthook.yml").write_text("pre-commit: {}\n")
    (watched / "sub").mkdir()
    (watched / "sub/.envrc").write_text("export A=1\n")
    done = world.run("drift", cwd=watched)
    assert "lefthook.yml" in done.stdout and state(api, watched) == "running", done.stdout


def test_a_halt_outlives_its_daemon(world: World, api: Engine, watched: Path) -> None:
    _sed(watched)
    halt_of(world, watched)
    pid = world.pid()
    assert pid is not None
    os.kill(pid, 9)
    world.start()
    done = world.run("up", cwd=watched)
    assert "halted" in done.stderr and done.returncode == 4
    assert state(api, watched) == "paused"


def test_a_daemon_that_starts_halts_what_lost_a_mount_before(
    world: World, api: Engine, watched: Path
) -> None:
    pid = world.pid()
    assert pid is not None
    os.kill(pid, 9)
    _sed(watched)
    world.start()
    halt = halt_of(world, watched)
    assert halt.reason is Reason.UNWATCHED
    assert state(api, watched) == "paused"


def test_a_command_halts_where_no_daemon_does(world: World, api: Engine, repository: Path) -> None:
    up(world, repository)
    if (pid := world.pid()) is not None:
        os.kill(pid, 9)
    _sed(repository)
    done = world.run("exec", "-n", "true", cwd=repository)
    try:
        assert done.returncode == 4 and "halted" in done.stderr, done.stderr
        assert state(api, repository) == "paused"
    finally:
        world.run("down", "--discard", cwd=repository)
