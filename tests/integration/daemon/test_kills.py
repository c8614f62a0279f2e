"""Killed at any moment: the daemon, a client, the pipe of an editor, a process that writes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.integration.daemon import killer
from tests.integration.daemon.world import World, alive
from tests.patience import PATIENCE, eventually
from tools.lsp_client import LspClient

GENERATED = ".devcontainer/devcontainer.json"

KILLS = int(os.environ.get("SANDBOXD_TEST_KILLS", "100"))
"""How often a process is killed while it writes; 10,000 take ten minutes."""

DAEMONS = 8
"""How often a whole daemon is."""


def save(folder: Path, image: str) -> None:
    new = folder / "new"
    new.write_text(f'profile = "dev"\nimage = "{image}"\n')
    new.rename(folder / "sandboxd.toml")


def keep_project(world: World) -> tuple[Path, Path]:
    project = world.project()
    assert world.run("daemon", "start", cwd=project).returncode == 0
    world.pid()
    return project, project / GENERATED


def test_a_process_that_is_killed_while_it_writes_leaves_whole_files(world: World) -> None:
    project = world.project()
    done = subprocess.run(
        [sys.executable, "-P", killer.__file__, str(project), str(KILLS)],
        env=world.environ,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    # Else nothing was shown.
    assert outcome.pop("killed while it worked") > KILLS / 4
    assert outcome.pop("left a temporary file") > 0
    assert outcome == {
        "problems": [],
        "temporary files at the end": [],
        "edits lost": [],
        "is last": True,
    }


def test_a_daemon_that_is_killed_leaves_whole_files_and_the_users_edits(world: World) -> None:
    project, generated = keep_project(world)
    problems: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.wait(0.002):
            text = generated.read_text()
            if not text.rstrip().endswith("}"):
                problems.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(DAEMONS):
            pid = world.start()
            save(project, f"n{number}")
            if number % 3 == 0:
                mine = project / "mine"
                mine.write_text(f"{generated.read_text()}// mine {number}\n}}")
                mine.rename(generated)
            time.sleep(random.random() * 0.06)
            os.kill(pid, signal.SIGKILL)
    finally:
        ended.set()
        reader.join()
    world.start()
    eventually(lambda: f'"image": "n{DAEMONS - 1}"' in generated.read_text())
    assert problems == []
    beside = "".join(p.read_text() for p in generated.parent.glob("devcontainer.json*"))
    assert [n for n in range(0, DAEMONS, 3) if f"// mine {n}\n" not in beside] == []


def test_clients_that_are_killed_harm_nobody(world: World) -> None:
    """Of each kind, at a moment of which nobody knows: starting, asking, listening."""
    project, generated = keep_project(world)
    pid = world.pid()
    for number in range(4):
        commands = [("status",), ("status", "--watch"), ("daemon", "start"), ("lsp", "--stdio")]
        clients = [world.popen(*command, cwd=project) for command in commands]
        save(project, f"n{number}")
        time.sleep(random.random() * 0.15)
        for process in clients:
            process.kill()
            process.communicate()
    eventually(lambda: '"image": "n3"' in generated.read_text())
    assert world.pid() == pid
    # Nothing of them is left: no connection, no session.
    # One that was killed in its first words is let go after half a minute.
    eventually(lambda: len(sockets(pid)) <= 3, lambda: sockets(pid), seconds=2 * PATIENCE)


def sockets(pid: int | None) -> list[str]:
    """Those that are connected or listen.

    One that looked for an engine where none is was never connected, and is there until Python collects it.
    """
    unused = _never_connected()
    names = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("socket:") and target not in unused:
            names.append(target)
    return names


def test_an_editor_whose_daemon_is_killed_sees_its_server_end(world: World) -> None:
    """It then starts the server again, as it does with every server."""
    pid = world.start()
    with LspClient(world.command("lsp", "--stdio"), world.environ) as editor:
        editor.initialize()
        os.kill(pid, signal.SIGKILL)
        assert editor.process.wait(PATIENCE) == 1
    eventually(lambda: not alive(pid))
    assert world.start() != pid


def test_a_deleted_socket_costs_the_next_command_nothing_but_a_daemon(world: World) -> None:
    """The one that cannot be reached any more must not keep the place."""
    project, generated = keep_project(world)
    first = world.pid()
    world.socket.unlink()
    started = world.run("daemon", "start", cwd=project)
    assert started.returncode == 0, started.stderr
    assert world.pid() is not None
    save(project, "after")
    eventually(lambda: '"image": "after"' in generated.read_text())
    eventually(lambda: world.pid() == first or not alive(first or 0))


def test_a_deleted_folder_ends_a_daemon_that_nobody_can_reach(world: World) -> None:
    project, generated = keep_project(world)
    first = world.pid()
    # Whatever it makes there meanwhile is gone in the end, too.
    eventually(lambda: shutil.rmtree(world.folder, ignore_errors=True) or not world.folder.exists())
    eventually(lambda: not alive(first or 0))
    assert world.run("daemon", "start", cwd=project).returncode == 0
    assert world.pid() not in (None, first)
    save(project, "after")
    eventually(lambda: '"image": "after"' in generated.read_text())


def _never_connected() -> set[str]:
    """The UNIX sockets of this machine in the state SS_UNCONNECTED that do not listen (proc_net(5))."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {f"socket:[{each[6]}]" for each in fields if each[3] == "00000000" and each[5] == "01"}
