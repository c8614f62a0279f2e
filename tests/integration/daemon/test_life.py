"""The daemon's life: one for each user, however it is started, killed or lied to."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from sandboxd.errors import EXIT_DAEMON, EXIT_OK, DaemonError
from sandboxd.ipc import client, messages
from tests.integration.daemon.world import SANDBOXD, World, alive
from tests.patience import PATIENCE, eventually


def test_it_starts_when_it_is_wanted_and_leaves_nothing_when_stopped(world: World) -> None:
    result = world.run("daemon", "start")
    assert result.returncode == EXIT_OK, result.stderr
    pid = world.pid()
    assert pid is not None and f"pid {pid}" in result.stderr
    assert stat.S_IMODE(os.stat(world.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(world.socket).st_mode) == 0o600
    shown = world.run("daemon", "status")
    assert shown.returncode == EXIT_OK and f"the daemon runs (pid {world.pid()})\n" in shown.stdout
    result = world.run("daemon", "stop")
    assert result.returncode == EXIT_OK, result.stderr
    assert not alive(pid)
    assert not world.folder.exists()
    assert "stopped" in world.log()


def test_starting_twice_is_one_daemon_and_stopping_twice_is_no_error(world: World) -> None:
    assert world.start() == world.start()
    assert world.run("daemon", "stop").returncode == EXIT_OK
    shown = world.run("daemon", "status")
    assert (shown.returncode, shown.stdout) == (EXIT_DAEMON, "")
    assert shown.stderr.startswith("error: no daemon runs\nhint: `sandboxd daemon start` starts it")
    again = world.run("daemon", "stop")
    assert again.returncode == EXIT_OK
    assert "no daemon is running" in again.stderr


def test_many_starters_at_once_get_one_daemon(world: World) -> None:
    starters = [world.popen("daemon", "start") for _ in range(6)]
    outputs = [process.communicate(timeout=PATIENCE)[1] for process in starters]
    assert [process.returncode for process in starters] == [0] * 6, outputs
    assert len({text.partition("pid ")[2].partition(")")[0] for text in outputs}) == 1


def test_two_daemons_at_once_are_one(world: World) -> None:
    first, second = world.popen("daemon", "run"), world.popen("daemon", "run")
    eventually(lambda: first.poll() is not None or second.poll() is not None)
    loser, winner = (first, second) if first.poll() is not None else (second, first)
    assert loser.wait() == EXIT_DAEMON
    assert "running already" in loser.communicate()[1]
    assert eventually(world.pid) == winner.pid


def test_after_kill_9_the_next_command_works(world: World) -> None:
    first = world.start()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not alive(first))
    assert world.socket.exists()
    assert world.run("status").returncode == EXIT_OK
    second = world.start()
    assert second != first and alive(second)


def test_a_socket_that_nobody_listens_on_is_replaced(world: World) -> None:
    world.folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(world.socket))
    os.chmod(world.socket, 0o600)
    assert alive(world.start())


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_enter_is_refused(world: World, mode: int) -> None:
    world.folder.mkdir()
    os.chmod(world.folder, mode)
    with pytest.raises(DaemonError, match="open to other users"):
        world.start()
    result = world.run("status")
    assert result.returncode == EXIT_DAEMON
    assert f"mode 0{mode:o}" in result.stderr
    assert "chmod 700" in result.stderr


def test_a_symlink_in_place_of_the_folder_is_refused(world: World) -> None:
    elsewhere = world.home / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    world.folder.symlink_to(elsewhere)
    result = world.run("daemon", "start")
    assert result.returncode == EXIT_DAEMON
    assert "symbolic link" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_a_symlink_in_place_of_the_socket_is_refused_and_kept(world: World) -> None:
    world.folder.mkdir(mode=0o700)
    target = world.home / "precious"
    target.write_text("mine")
    world.socket.symlink_to(target)
    for command in (("daemon", "start"), ("daemon", "run", "--background"), ("status",)):
        result = world.run(*command)
        assert result.returncode == EXIT_DAEMON, command
        assert "symbolic link" in result.stderr
    assert target.read_text() == "mine"


def test_a_stranger_on_the_socket_that_never_answers_holds_up_nobody(world: World) -> None:
    world.folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(world.socket))
        os.chmod(world.socket, 0o600)
        stranger.listen()
        result = world.run("daemon", "start")
        assert result.returncode == EXIT_DAEMON
        assert "does not answer" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(world: World, number: int) -> None:
    pid = world.start()
    os.kill(pid, number)
    eventually(lambda: not alive(pid))
    assert not world.folder.exists()


def test_it_outlives_the_terminal_that_started_it(world: World) -> None:
    pid = world.start()
    os.kill(pid, signal.SIGHUP)
    assert world.pid() == pid
    assert os.getsid(pid) != os.getsid(0)


def test_it_holds_no_pipe_of_the_command_that_started_it(world: World) -> None:
    """An editor reads until the end of the pipe, which a daemon must not hold open."""
    command = subprocess.Popen(
        [*SANDBOXD, "daemon", "start"],
        env=world.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert command.communicate(timeout=PATIENCE)[0]
    assert world.pid() is not None


def test_it_ends_when_nobody_needs_it(world: World) -> None:
    processes: list[subprocess.Popen[str]] = []

    def connected() -> client.Client | None:
        """On a busy machine one may end before it was reached."""
        if not processes or processes[-1].poll() is not None:
            processes.append(world.popen("daemon", "run", "--idle-exit", "0.4"))
        return client.connect(world.environ, str(world.home), start=False)

    with eventually(connected):
        time.sleep(1)
        assert processes[-1].poll() is None
    assert processes[-1].wait(PATIENCE) == EXIT_OK
    assert not world.folder.exists()


def test_files_of_the_folder_it_is_started_in_are_not_imported(world: World) -> None:
    hostile = world.home / "repo"
    hostile.mkdir()
    for name in ("sandboxd.py", "json.py", "asyncio.py", "logging.py"):
        (hostile / name).write_text(f"open({str(world.home / 'owned')!r}, 'w')\n")
    assert world.run("daemon", "start", cwd=hostile).returncode == EXIT_OK
    assert world.run("status", cwd=hostile).returncode == EXIT_OK
    assert not (world.home / "owned").exists()
    pid = world.pid()
    assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")


def test_clients_that_misbehave_harm_nobody(world: World) -> None:
    pid = world.start()
    for noise in (
        b"\0garbage\n",
        b'{"jsonrpc":"2.0","id":1,"method":"hel',
        b"[" * 300_000 + b"\n",
        b"",
    ):
        with socket.socket(socket.AF_UNIX) as bad:
            bad.connect(str(world.socket))
            bad.sendall(noise)
    with socket.socket(socket.AF_UNIX) as endless:
        endless.connect(str(world.socket))
        sent = 0
        with pytest.raises(OSError):
            while sent < 1_000_000_000:
                sent += endless.send(b"x" * 1_000_000)
        assert sent < 64 * 1024 * 1024
    assert world.pid() == pid
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    assert resident < 150 * 1024 * 1024


def test_a_client_that_sends_nothing_does_not_hold_up_the_end(world: World) -> None:
    pid = world.start()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(world.socket))
        assert world.run("daemon", "stop").returncode == EXIT_OK
    assert not alive(pid)


def test_an_older_daemon_is_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.start()
    monkeypatch.setattr("sandboxd.ipc.client.__version__", "99.0.0")
    fresh = client.connect(world.environ, "/", start=True, patience=PATIENCE)
    assert fresh is not None
    with fresh:
        assert fresh.daemon_pid != old
    # It makes way before it ends: what it had begun goes on.
    eventually(lambda: not alive(old))


def test_the_log_is_private_and_can_be_shown(world: World) -> None:
    pid = world.start()
    path = world.home / "state" / "sandboxd" / "daemon.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = world.run("daemon", "logs")
    assert shown.returncode == EXIT_OK
    assert f"(pid {pid})" in shown.stdout


def test_before_there_is_a_log_logs_says_so(world: World) -> None:
    result = world.run("daemon", "logs")
    assert (result.returncode, result.stdout) == (EXIT_OK, "")
    assert "no log yet" in result.stderr


def test_a_project_is_forgotten_also_when_its_folder_is_gone(world: World) -> None:
    present, gone = world.project("kept"), world.project("gone")
    for project in (present, gone):
        assert world.run("daemon", "start", cwd=project).returncode == EXIT_OK
    world.pid()

    def is_missing() -> bool:
        """The daemon may still write there: what is gone at the end counts."""
        shutil.rmtree(gone, ignore_errors=True)
        return bool(world.settled()["projects"][0]["state"] == "missing")

    eventually(is_missing)
    assert f"sandboxd daemon forget {gone}" in world.settled()["projects"][0]["hint"]
    assert world.run("daemon", "forget", str(gone)).returncode == EXIT_OK
    (present / "src").mkdir()
    again = world.run("daemon", "forget", cwd=present / "src")
    assert f"`{present}` is no longer kept" in again.stderr
    assert world.status()["projects"] == []
    assert (present / ".devcontainer/devcontainer.json").exists()
    assert "was not kept" in world.run("daemon", "forget", str(gone)).stderr


def test_a_damaged_memory_of_projects_is_kept_aside(world: World) -> None:
    folder = world.home / "state" / "sandboxd"
    folder.mkdir(parents=True)
    text = '[[projects]]\npath = 3\n[[projects]]\npath = "/nowhere/app"\n'
    (folder / "projects.toml").write_text(text)
    assert alive(world.start())
    eventually(lambda: (folder / "projects.toml.bad").exists())
    assert (folder / "projects.toml.bad").read_text() == text
    status = world.status()
    assert "projects.toml.bad" in status["daemon"]["problem"]
    assert [row["path"] for row in status["projects"]] == ["/nowhere/app"]


def test_an_unknown_method_is_an_error_with_words(world: World) -> None:
    with world.client() as connection, pytest.raises(DaemonError, match="no method `nothing`"):
        connection.request("nothing", {})


def test_a_path_that_is_none_is_refused(world: World) -> None:
    with world.client() as connection:
        for path in ("relative", "/a\0b", 3):
            with pytest.raises(DaemonError, match="path"):
                connection.request(messages.PROJECT_REGISTER, {"path": path})


def test_starting_and_stopping_at_the_same_time_ends_well(world: World) -> None:
    """Whatever wins, no command fails with a bug, and the next one works."""
    for _ in range(4):
        processes = [world.popen("daemon", action) for action in ("start", "stop", "start", "stop")]
        for process in processes:
            outputs = process.communicate(timeout=PATIENCE)[1]
            assert process.returncode in (EXIT_OK, EXIT_DAEMON), outputs
    assert alive(world.start())
    assert world.run("daemon", "stop").returncode == EXIT_OK
    assert not world.folder.exists()


def test_a_daemon_that_hangs_is_named_with_the_way_out(world: World) -> None:
    pid = world.start()
    os.kill(pid, signal.SIGSTOP)
    try:
        for command in (("status",), ("daemon", "stop"), ("daemon", "start")):
            result = world.run(*command)
            assert result.returncode == EXIT_DAEMON
            assert f"the daemon (pid {pid}) does not answer" in result.stderr
            assert f"hint: `kill -9 {pid}`" in result.stderr
    finally:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    assert world.run("daemon", "start").returncode == EXIT_OK
    world.pid()
