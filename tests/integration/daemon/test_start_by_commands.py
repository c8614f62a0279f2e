"""Commands that leave a sandbox running start the daemon by themselves; nothing of it stands in their way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.errors import EXIT_OK
from sandboxd.ipc import address
from tests.integration.daemon.world import World, alive
from tests.integration.stub_engine import StubEngine
from tests.patience import PATIENCE, eventually

SAID = "sandboxd daemon stop"
OPEN = "nothing notices a control file"


@pytest.fixture(autouse=True)
def starting(world: World) -> None:
    """Commands may start one, which ends with the world."""
    del world.environ["SANDBOXD_NO_DAEMON"]


def words(text: str) -> str:
    """A screen without its line breaks."""
    return " ".join(text.split())


def kill(pid: int | None) -> None:
    """Kill a daemon, and wait until it is gone."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))


def policy(world: World, text: str) -> None:
    """The user's own policy."""
    folder = world.home / ".config" / "sandboxd"
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text(text)


def test_a_start_starts_it_and_says_so_once(
    world: World, engine: StubEngine, project: Path
) -> None:
    first = world.run("up", cwd=project)
    assert first.returncode == 0, first.stderr
    pid = world.pid()
    assert pid is not None
    assert words(first.stderr).count(SAID) == 1
    # It knows the project from then on, and writes nothing there that nobody asked for.
    eventually(lambda: str(project) in world.run("status", "--json", cwd=world.home).stdout)
    assert not (project / ".devcontainer" / "devcontainer.json").exists()
    again = world.run("up", cwd=project)
    assert (again.returncode, world.pid()) == (0, pid)
    kill(pid)
    again = world.run("up", cwd=project)
    assert again.returncode == 0
    assert SAID not in words(again.stderr)
    assert world.pid() not in (None, pid)


@pytest.mark.parametrize("command", ["up", "restart"])
def test_a_config_that_cannot_be_read_starts_none(
    world: World, engine: StubEngine, project: Path, command: str
) -> None:
    (project / "sandboxd.toml").write_text("profile = 3\n")
    done = world.run(command, cwd=project)
    assert (done.returncode, world.pid()) == (2, None)
    assert done.stderr.startswith("error: "), done.stderr


@pytest.mark.parametrize("command", [("exec", "--", "cat"), ("shell",), ("restart",)])
def test_so_does_what_works_in_one_that_runs(
    world: World, engine: StubEngine, project: Path, command: tuple[str, ...]
) -> None:
    up = world.run("up", "--no-daemon", cwd=project)
    assert (up.returncode, world.pid()) == (0, None), up.stderr
    done = world.run(*command, cwd=project, input="")
    assert SAID in words(done.stderr)
    assert world.pid() is not None
    # It attends to the sandbox though it did not start it.
    eventually(lambda: str(project) in world.run("status", "--json", cwd=world.home).stdout)


def test_a_script_sees_what_the_command_inside_says(
    world: World, engine: StubEngine, project: Path
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    kill(world.pid())
    for options in ([], ["--no-daemon"]):
        done = world.run("exec", *options, "--", "exit", "7", cwd=project)
        assert (done.returncode, done.stdout, done.stderr) == (7, "out", "err")
        pid = world.pid()
        if pid is not None:
            kill(pid)


@pytest.mark.parametrize("by", ["option", "variable", "policy"])
def test_it_is_switched_off_and_then_what_is_open_is_said(
    world: World, engine: StubEngine, project: Path, by: str
) -> None:
    if by == "variable":
        world.environ["SANDBOXD_NO_DAEMON"] = "1"
    if by == "policy":
        policy(world, "daemon = false\n")
    up = world.run("up", *(["--no-daemon"] if by == "option" else []), cwd=project)
    assert up.returncode == 0, up.stderr
    why = {"option": "`--no-daemon`", "variable": "`SANDBOXD_NO_DAEMON`", "policy": "policy.toml`"}
    assert OPEN in words(up.stderr)
    assert why[by] in words(up.stderr)
    assert world.pid() is None


@pytest.mark.parametrize("command", ["up", "restart"])
def test_what_is_open_is_not_said_of_a_sandbox_that_was_not_started(
    world: World, engine: StubEngine, project: Path, command: str
) -> None:
    (project / "sandboxd.toml").write_text("profile = 3\n")
    done = world.run(command, "--no-daemon", cwd=project)
    assert done.returncode != 0
    assert done.stderr.startswith("error: "), done.stderr
    assert OPEN not in words(done.stderr)


def test_one_that_runs_is_used_whoever_may_not_start_one(
    world: World, engine: StubEngine, project: Path
) -> None:
    pid = world.start()
    up = world.run("up", "--no-daemon", cwd=project)
    assert (up.returncode, world.pid()) == (0, pid)
    assert OPEN not in words(up.stderr)
    assert f"start of `{project}`" in world.log()


def test_a_policy_keeps_an_editor_from_starting_it(world: World) -> None:
    policy(world, "daemon = false\n")
    process = subprocess.Popen(
        world.command("lsp", "--stdio"), env=world.environ, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.communicate(b"", PATIENCE)
    assert not world.folder.exists()


def test_ten_at_once_start_one(world: World, engine: StubEngine, project: Path) -> None:
    commands = [world.popen("exec", "--", "true", cwd=project) for _ in range(10)]
    said = [command.communicate(timeout=2 * PATIENCE)[1] for command in commands]
    assert world.log().count(" listens on ") == 1, said
    # No sandbox runs, which each of them says; of the daemon one of them does.
    assert [command.returncode for command in commands] == [4] * 10, said
    assert sum(SAID in words(text) for text in said) == 1


def test_one_that_is_killed_again_and_again_stops_no_command(
    world: World, engine: StubEngine, project: Path
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    for _ in range(6):
        command = world.popen("exec", "--", "cat", cwd=project)
        # Before, while or after the command takes it.
        if (pid := world.pid()) is not None:
            kill(pid)
        _, said = command.communicate("", timeout=PATIENCE)
        assert command.returncode == EXIT_OK or "it may have run" in said
    done = world.run("exec", "--", "cat", cwd=project, input="there")
    assert (done.returncode, done.stdout) == (0, "there"), done.stderr


def test_one_that_cannot_be_started_is_said_and_the_command_goes_on(
    world: World, engine: StubEngine, project: Path
) -> None:
    world.folder.mkdir()
    world.folder.chmod(0o755)
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    assert "created: profile dev, runtime runc" in up.stderr
    said = words(up.stderr)
    assert f"(it cannot be started: `{world.folder}` is open to other users" in said
    assert OPEN in said
    world.folder.chmod(0o700)


@pytest.mark.skipif(
    os.path.isdir(f"/run/user/{os.getuid()}"), reason="the folder that is taken is the user's own"
)
def test_without_a_folder_of_the_session_it_lives_in_the_cache(
    world: World, engine: StubEngine, project: Path
) -> None:
    shutil.rmtree(world.environ["XDG_RUNTIME_DIR"])
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    where = address.folder(world.environ, os.getuid())
    assert where.startswith(str(world.home / ".cache"))
    assert os.path.exists(address.socket_path(where))
    assert world.pid() is not None


@pytest.mark.parametrize(("version", "stays"), [("0.0.1", False), ("999.0.0", True)])
def test_of_another_version_an_older_one_makes_way(
    world: World, engine: StubEngine, project: Path, version: str, stays: bool
) -> None:
    script = (
        f"import sandboxd; sandboxd.__version__ = '{version}'\n"
        "from sandboxd.cli.main import run; run(['daemon', 'run', '--background'])"
    )
    other = world.spawn([sys.executable, "-P", "-c", script])
    eventually(world.pid)
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    assert "created: profile dev, runtime runc" in up.stderr
    if stays:
        assert (world.pid(), other.poll()) == (other.pid, None)
        assert SAID not in words(up.stderr)
    else:
        assert other.wait(PATIENCE) == 0
        assert world.pid() not in (None, other.pid)
