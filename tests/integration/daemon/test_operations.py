"""Operations by the daemon and without one: the same words, the same exit codes, the same traces."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.ipc import messages
from sandboxd.ipc.conversation import Conversation, NotHere, converse, view
from sandboxd.operations.start_options import StartOptions
from tests.integration.daemon.world import World, alive, read_until
from tests.integration.stub_engine import CONFIG, StubEngine
from tests.patience import PATIENCE, eventually


def test_a_day(world: World, engine: StubEngine, project: Path, helped: bool) -> None:
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    assert re.search(r"not in force  (AppArmor|\d more: .*AppArmor)", up.stderr, re.DOTALL)
    assert max(map(len, up.stderr.splitlines())) <= 80
    assert "created: profile dev, runtime runc" in up.stderr
    (container,) = engine.of_projects()
    assert (up.stdout, container.state) == (f"{container.name}\n", "running")
    again = world.run("up", cwd=project).stderr
    assert "already running" in again and "AppArmor" not in again
    assert re.search(r"not in force +\d as at the last start: `sandboxd up --all`", again)
    assert "not in force  AppArmor" in world.run("up", "--all", cwd=project).stderr
    done = world.run("exec", "--", "exit", "7", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out", "err")
    echo = world.run("exec", "--", "cat", cwd=project, input="x" * 300_000)
    assert (echo.returncode, len(echo.stdout)) == (0, 300_000)
    assert world.run("drift", cwd=project).returncode in (0, 6)
    down = world.run("down", cwd=project)
    gone, removed = down.stderr.splitlines()
    assert down.returncode == 0 and removed == f"removed `{container.name}`"
    assert "installed or written outside of the workspace is gone" in gone
    assert engine.of_projects() == []
    again = world.run("down", cwd=project)
    assert (again.returncode, again.stderr) == (0, f"no sandbox of `{project}` was up\n")


def test_an_end_without_its_entry_is_done_and_ends_with_that(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    world.stop_recording()
    down = world.run("down", cwd=project)
    assert engine.of_projects() == []
    assert down.returncode == 4, down.stderr
    assert "removed `" in down.stderr
    assert "error: it is done, and not recorded: " in down.stderr


def test_values_of_a_file_are_recorded_by_their_names_before_the_start(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    values = world.home / "values.env"
    values.write_text("API_KEY=s3cret\n")
    up = world.run("up", "--env-file", str(values), cwd=project)
    shown = world.run("audit", "--json", cwd=project).stdout
    kinds = [json.loads(line)["kind"] for line in shown.splitlines()]
    assert kinds[:2] == ["variables", "start"], up.stderr
    assert "API_KEY" in shown and "s3cret" not in shown
    assert world.run("down", cwd=project).returncode == 0
    world.stop_recording()
    assert world.run("up", "--env-file", str(values), cwd=project).returncode == 4
    assert engine.of_projects() == []


def test_what_fails_fails_with_the_same_words(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    done = world.run("review", cwd=project)
    assert done.returncode == 2
    assert done.stderr == (
        "error: no sandbox runs here, and nothing was kept of one\nhint: start it: `sandboxd up`\n"
    )
    done = world.run("bench", "--rounds", "0", cwd=project)
    assert (done.returncode, done.stderr) == (
        2,
        "error: `--rounds 0` measures nothing\nhint: use 1 or more\n",
    )
    done = world.run("exec", "--", "true", cwd=project)
    assert done.returncode == 4
    assert done.stderr == (
        f"error: no sandbox of `{project}` is running\nhint: start it: `sandboxd up`\n"
    )
    (project / "sandboxd.toml").write_text(f'profile = "trusted"\n{CONFIG}')
    done = world.run("up", cwd=project)
    assert done.returncode == 2
    assert "hint: look at the file, then run `sandboxd trust add`" in done.stderr
    (project / "sandboxd.toml").write_text('profil = "dev"\n')
    done = world.run("up", cwd=project)
    assert done.returncode == 2
    assert "`profil`" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_command(
    world: World, engine: StubEngine, project: Path, helped: bool, number: int
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    process = world.popen("exec", "-n", "--", "sleep", cwd=project)
    eventually(engine.running)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 128 + number
    eventually(lambda: engine.running() == [])


def test_an_interrupted_start_leaves_nothing(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    # The daemon keeps what it generates, and empty files and folders in place of others.
    if helped:
        world.settled()
    before = {path.name for path in project.iterdir()}
    with engine.hold_starts():
        process = world.popen("up", cwd=project)
        eventually(engine.of_projects)
        process.send_signal(signal.SIGINT)
        said = read_until(process.stderr, "ending after this step")
        if helped:
            hear_all(world)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, stderr
    assert f"{said}{stderr}".endswith("interrupted\n")
    assert engine.of_projects() == []
    assert {path.name for path in project.iterdir()} == before


def hear_all(world: World) -> None:
    """Have the daemon take notice of all that was said to it: that comes before the answer to who comes later."""
    for _ in range(2):
        with world.client() as client:
            client.request(messages.PROJECT_LIST, {})


def test_a_client_that_is_killed_cancels_its_start(
    world: World, engine: StubEngine, project: Path
) -> None:
    world.start()
    with engine.hold_starts():
        process = world.popen("up", cwd=project)
        eventually(engine.of_projects)
        process.kill()
        process.wait()
        hear_all(world)
    eventually(lambda: engine.of_projects() == [], engine.of_projects)
    assert world.run("up", cwd=project).returncode == 0


def test_a_client_that_is_killed_takes_its_command_along(
    world: World, engine: StubEngine, project: Path
) -> None:
    world.start()
    assert world.run("up", cwd=project).returncode == 0
    process = world.popen("exec", "--", "sleep", cwd=project)
    (command,) = eventually(engine.running)
    process.kill()
    assert eventually(lambda: command.code) == 128 + signal.SIGHUP


def test_a_daemon_that_is_killed_is_done_without(
    world: World, engine: StubEngine, project: Path
) -> None:
    pid = world.start()
    with engine.hold_starts():
        process = world.popen("up", cwd=project)
        eventually(engine.of_projects)
        os.kill(pid, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert "the daemon ended in the middle of it; going on without it" in stderr
    (container,) = engine.of_projects()
    assert (stdout, container.state) == (f"{container.name}\n", "running")


def test_a_command_outlives_its_daemon(world: World, engine: StubEngine, project: Path) -> None:
    pid = world.start()
    assert world.run("up", cwd=project).returncode == 0
    process = world.popen("exec", "-n", "--", "sleep", cwd=project)
    (command,) = eventually(engine.running)
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not alive(pid))
    assert command.code is None
    command.end(5)
    assert process.wait(PATIENCE) == 5


def test_a_handover_waits_for_what_runs(world: World, engine: StubEngine, project: Path) -> None:
    world.start()
    with engine.hold_starts():
        process = world.popen("up", cwd=project)
        eventually(engine.of_projects)
        with world.client() as client:
            client.request(messages.SHUTDOWN, {"handover": True})
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert "going on without it" not in stderr
    assert [c.state for c in engine.of_projects()] == ["running"]


def test_two_starts_at_once_make_one_sandbox(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    engine.delay = 0.05
    both = [world.popen("up", cwd=project) for _ in range(2)]
    names = {process.communicate(timeout=PATIENCE)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(names) == 1
    assert len(engine.of_projects()) == 1


def test_a_start_that_waits_for_another_can_be_cancelled(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    with engine.hold_starts():
        first = world.popen("up", cwd=project)
        eventually(engine.of_projects)
        second = world.popen("up", cwd=project)
        read_until(second.stderr, "waiting for it")
        second.send_signal(signal.SIGINT)
        assert second.wait(PATIENCE) == 130
    assert first.wait(PATIENCE) == 0


class Talk:
    """A conversation with the daemon, and the requests that a client may send on it."""

    def __init__(self, world: World, project: Path) -> None:
        conversation = converse(world.environ)
        assert conversation is not None
        self.conversation: Conversation = conversation
        self.view: dict[str, Any] = dict(view(world.environ, str(project)))

    def start(self, **more: Any) -> Any:
        params = {"view": self.view, "environ": {}, **dict(StartOptions())}
        return self.conversation.ask(messages.OPERATION + "start", params | more)


@pytest.fixture
def talk(world: World, engine: StubEngine, project: Path) -> Iterator[Talk]:
    world.start()
    conversation = Talk(world, project)
    yield conversation
    conversation.conversation.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"inode": 1},
        {"device": 1},
        {"directory": "/no/such"},
        {"folders": {}},
        {"folders": {"HOME": "/home/other"}},
    ],
    ids=str,
)
def test_the_daemon_does_not_act_for_one_who_sees_another_world(
    talk: Talk, engine: StubEngine, changes: dict[str, Any]
) -> None:
    talk.view |= changes
    with pytest.raises(NotHere):
        talk.start()
    assert engine.of_projects() == []


@pytest.mark.parametrize(
    "changes",
    [{"allow_runc": "yes"}, {"environ": {"A": 1}}, {"environ": None}, {"view": 3}],
    ids=str,
)
def test_a_request_of_another_shape_is_refused(
    talk: Talk, engine: StubEngine, changes: dict[str, Any]
) -> None:
    with pytest.raises(NotHere):
        talk.start(**changes)
    assert engine.of_projects() == []


def test_no_grant_comes_by_the_wire(
    world: World, engine: StubEngine, project: Path, talk: Talk
) -> None:
    """A folder of the caller's choice holds a grant; the daemon reads the user's own."""
    (project / "sandboxd.toml").write_text(f'profile = "trusted"\n{CONFIG}')
    elsewhere = world.home / "elsewhere"
    environ = {**world.environ, "XDG_STATE_HOME": str(elsewhere), "XDG_CONFIG_HOME": str(elsewhere)}
    granted = subprocess.run(
        world.command("trust", "add", "--yes"),
        env=environ,
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert granted.returncode == 0, granted.stderr
    alone = subprocess.run(
        world.command("up"), env=environ, cwd=project, capture_output=True, text=True
    )
    assert alone.returncode == 0, "the grant is good for those whose state folder it is"
    assert world.run("down", cwd=project).returncode == 0
    with pytest.raises(Exception, match="takes controls away"):
        talk.start(environ=environ)
    assert engine.of_projects() == []


def test_another_version_s_daemon_is_not_asked(
    world: World, engine: StubEngine, project: Path
) -> None:
    world.start()
    program = (
        "import sandboxd; sandboxd.__version__ = '9.9.9'; import sys\n"
        "from sandboxd.cli.main import run; sys.exit(run(['up']))"
    )
    done = subprocess.run(
        [world.command()[0], "-P", "-c", program],
        env=world.environ,
        cwd=project,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert [c.state for c in engine.of_projects()] == ["running"]


def test_a_daemon_that_hangs_is_done_without(
    world: World, engine: StubEngine, project: Path
) -> None:
    pid = world.start()
    os.kill(pid, signal.SIGSTOP)
    try:
        up = world.run("up", cwd=project)
        assert (up.returncode, "did not answer within" in up.stderr) == (0, True), up.stderr
        assert "going on without it\n  hint: `sandboxd daemon stop` names its process" in up.stderr
        assert world.run("exec", "--", "exit", "3", cwd=project).returncode == 3
        stop = world.run("daemon", "stop", cwd=project)
        assert f"`kill -9 {pid}`" in stop.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
