"""`setup gvisor` on an engine of its own: from no runsc to attacked and held, and back byte for byte.

The engine has its own daemon.json, socket and network namespace; runsc comes from a file, into a
folder of the test's own.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.setup.journal import Journal
from tests.e2e.test_private_engine import ROOT
from tests.patience import eventually
from tools.engine import private
from tools.engine.packages import find_program

pytestmark = pytest.mark.engine

CONFIG = '{\n    "debug": false,\n    "labels": ["a=b"],\n    "max-concurrent-downloads": 2\n}\n'


class Machine:
    """An engine that knows no runsc, and the command line for it."""

    def __init__(self, engine: private.Engine, folder: Path, runsc: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.config = Path(engine.folder) / "daemon.json"
        self.options = [
            f"--daemon-json={self.config}",
            f"--socket={engine.folder}/docker.sock",
            f"--state={folder}/state/gvisor",
            f"--reload-command=sh -c 'kill -HUP $(cat {engine.folder}/docker.pid)'",
            "--restart-command=false",
            f"--binary={runsc}",
            f"--sha512={runsc}.sha512",
            f"--folder={folder}/bin",
        ]

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sandboxd", "setup", "gvisor", *self.options, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

    def runtimes(self) -> set[str]:
        docker = find_program("docker")
        assert docker is not None
        shown = subprocess.run(
            [docker, "-H", self.engine.docker_host, "info", "-f", "{{json .Runtimes}}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return set(json.loads(shown.stdout)) - {"io.containerd.runc.v2"}

    def assert_untouched(self) -> None:
        assert self.config.read_text() == CONFIG
        assert self.runtimes() == {"runc"}
        assert not (self.folder / "state").exists()
        assert not list((self.folder / "bin").glob("*")), "nothing of runsc is left"
        assert sorted(os.listdir(self.folder)) in (["bin", "source"], ["source"])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runsc as a file with its checksum, as a user would have fetched them."""
    installed = find_program("runsc")
    if installed is None:
        pytest.skip("runsc is not installed, so there is no file to install from")
    path = tmp_path_factory.mktemp("source") / "runsc"
    shutil.copy(installed, path)
    checksum = hashlib.sha512(path.read_bytes()).hexdigest()
    Path(f"{path}.sha512").write_text(f"{checksum}  runsc\n")
    return path


@pytest.fixture(scope="module")
def own_engine(own_engines: None) -> Iterator[private.Engine]:
    private.sweep()
    started = private.start(f"setup-{os.getpid()}", owner=os.getpid(), gvisor=False)
    yield started
    private.stop(started.folder)


@pytest.fixture
def machine(own_engine: private.Engine, source: Path, tmp_path: Path) -> Machine:
    (tmp_path / "source").mkdir()
    (tmp_path / "bin").mkdir()
    config = Path(own_engine.folder) / "daemon.json"
    config.write_text(CONFIG)
    return Machine(own_engine, tmp_path, source)


def test_from_nothing_to_held_and_back(machine: Machine) -> None:
    plan = machine.setup("--plan")
    assert plan.returncode == 0 and "compare the SHA-512" in plan.stdout
    machine.assert_untouched()

    done = machine.setup("--apply")
    assert done.returncode == 0, done.stderr
    assert machine.runtimes() == {"runc", "runsc-sandboxd", "runsc-sandboxd-bind"}
    table = json.loads(machine.config.read_text())["runtimes"]
    assert "--directfs=false" in table["runsc-sandboxd"]["runtimeArgs"]
    assert "--directfs=false" not in table["runsc-sandboxd-bind"]["runtimeArgs"]
    for argument in table["runsc-sandboxd"]["runtimeArgs"]:
        assert f"  {argument}: " in done.stderr, "every argument comes with what the trial showed"

    again = machine.setup("--apply")
    assert again.returncode == 0 and "nothing to do" in again.stderr

    verified = machine.setup("--verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for name in ("runsc-sandboxd", "runsc-sandboxd-bind"):
        assert f"{name}: gVisor: Linux version 4.4.0" in verified.stdout
        assert f"{name}: held: " in verified.stdout

    back = machine.setup("--rollback")
    assert back.returncode == 0, back.stderr
    machine.assert_untouched()
    assert "nothing to put back" in machine.setup("--rollback").stderr


@pytest.fixture
def holding_build(source: Path, tmp_path: Path) -> Path:
    """gVisor's archive of a build whose read-only folders hold without any argument of ours."""
    script = '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/runsc.real" --directfs=false "$@"\n'
    path = tmp_path / "source" / "gvisor.tar.bz2"
    with tarfile.open(path, "w:bz2") as archive:
        for name, data in (("runsc", script.encode()), ("runsc.real", source.read_bytes())):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    checksum = hashlib.sha512(path.read_bytes()).hexdigest()
    Path(f"{path}.sha512").write_text(f"{checksum}  {path.name}\n")
    return path


def test_where_read_only_folders_hold_one_runtime_with_directfs_on_is_enough(
    machine: Machine, holding_build: Path
) -> None:
    machine.options += [f"--binary={holding_build}", f"--sha512={holding_build}.sha512"]
    done = machine.setup("--apply")
    assert done.returncode == 0, done.stderr
    assert "read-only folders held with directfs on" in done.stderr
    assert machine.runtimes() == {"runc", "runsc-sandboxd"}
    table = json.loads(machine.config.read_text())["runtimes"]
    assert "--directfs=false" not in table["runsc-sandboxd"]["runtimeArgs"]
    assert "nothing to do" in machine.setup("--apply").stderr
    back = machine.setup("--rollback")
    assert back.returncode == 0, back.stderr
    machine.assert_untouched()


def test_a_users_later_change_survives_the_way_back(machine: Machine) -> None:
    assert machine.setup("--apply").returncode == 0
    text = machine.config.read_text().replace('"debug": false', '"debug": true')
    machine.config.write_text(text)
    back = machine.setup("--rollback")
    assert back.returncode == 0 and "was changed since" in back.stderr
    assert machine.config.read_text() == CONFIG.replace('"debug": false', '"debug": true')
    assert machine.runtimes() == {"runc"}


# Kills itself when the runner is between two events for the nth time.
DRIVER = """
import os, signal, sys
from sandboxd.cli import setup_run
from sandboxd.cli.main import build_parser, load_command
from sandboxd.setup import runner
when, count = int(sys.argv.pop(1)), 0
def boundary(event, step):
    global count
    count += 1
    if count == when:
        os.kill(os.getpid(), signal.SIGKILL)
for name in ("apply", "roll_back"):
    plain = getattr(runner, name)
    setattr(runner, name, lambda *a, plain=plain: plain(*a, boundary=boundary))
sys.exit(setup_run.run(build_parser("setup", load_command("setup")).parse_args(sys.argv[1:])))
"""


def killed(machine: Machine, when: int, action: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(when), "gvisor", *machine.options, action],
        capture_output=True,
        cwd=ROOT,
        check=False,
    ).returncode


# keep, binary and register, each when its work is done and not yet written down; tests/unit/setup
# kills at every event. The trial changes nothing.
@pytest.mark.parametrize("when", [2, 5, 8])
def test_killed_at_each_step(machine: Machine, when: int) -> None:
    assert killed(machine, when, "--apply") == -signal.SIGKILL
    assert Journal(f"{machine.folder}/state/gvisor").interrupted
    assert "was interrupted" in machine.setup("--plan").stdout
    if when % 2:
        finished = machine.setup("--apply")
        assert finished.returncode == 0, finished.stderr
        assert "runsc-sandboxd" in machine.runtimes()
    back = machine.setup("--rollback")
    assert back.returncode == 0, back.stderr
    machine.assert_untouched()


@pytest.mark.parametrize("when", [2, 4])
def test_killed_on_the_way_back(machine: Machine, when: int) -> None:
    assert machine.setup("--apply").returncode == 0
    assert killed(machine, when, "--rollback") == -signal.SIGKILL
    assert machine.setup("--rollback").returncode == 0
    machine.assert_untouched()


def test_an_engine_that_does_not_take_it_gets_its_config_back(machine: Machine) -> None:
    machine.options.append("--reload-command=true")
    failed = machine.setup("--apply", "--wait=60")
    assert failed.returncode == 4
    assert "everything was put back as it was" in failed.stderr
    machine.assert_untouched()


def test_an_engine_that_does_not_come_back_gets_its_config_back(
    machine: Machine, own_engine: private.Engine
) -> None:
    """The restart command stops the engine for as long as our runtimes are in its config."""
    restart = machine.folder / "source" / "restart"
    restart.write_text(
        f"#!/bin/sh\ngrep -q runsc {machine.config} && kill -STOP $(cat {own_engine.folder}/docker.pid)"
        f" || kill -CONT $(cat {own_engine.folder}/docker.pid)\n"
    )
    restart.chmod(0o755)
    machine.options += [f"--reload-command={restart}", f"--restart-command={restart}"]
    try:
        failed = machine.setup("--apply", "--wait=1")
    finally:
        os.kill(own_engine.pid, signal.SIGCONT)
    assert failed.returncode == 4, failed.stderr
    assert "did not come back within 1 s" in failed.stderr
    eventually(lambda: machine.runtimes() == {"runc"}, machine.runtimes)
    assert machine.config.read_text() == CONFIG


def test_a_broken_config_is_refused_and_left_alone(machine: Machine) -> None:
    machine.config.write_text('{"debug": fal')
    failed = machine.setup("--apply")
    assert failed.returncode == 4 and "is not valid JSON" in failed.stderr
    assert machine.config.read_text() == '{"debug": fal'
    machine.config.write_text(CONFIG)
    machine.assert_untouched()
