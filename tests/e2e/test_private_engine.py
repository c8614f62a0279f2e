"""The private engine: it runs containers, and leaves nothing behind however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.patience import eventually
from tools.engine import private, processes
from tools.engine.image import BUSYBOX_TAG, import_busybox_image

ROOT = Path(__file__).resolve().parents[2]
NAME = f"own-{os.getpid()}"

pytestmark = pytest.mark.engine


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.fixture
def own_engine(own_engines: None, owner: subprocess.Popen[bytes]) -> Iterator[private.Engine]:
    engine = private.start(NAME, owner=owner.pid)
    yield engine
    private.stop(engine.folder)


def run_sleepers(engine: private.Engine) -> list[int]:
    """One sleeping container per runtime; the pids of their processes."""
    import_busybox_image(engine.docker_host)
    with contextlib.closing(docker.DockerClient(base_url=engine.docker_host, timeout=60)) as client:
        names = ["runc", *(name for name in client.info()["Runtimes"] if name == "runsc")]
        for name in names:
            client.containers.run(BUSYBOX_TAG, ["sleep", "600"], detach=True, runtime=name)
        return [item.attrs["State"]["Pid"] for item in client.containers.list()]


def left(engine: private.Engine, pids: list[int]) -> list[object]:
    """What is still there of the engine and of the processes `pids`."""
    return [
        *(pid for pid in pids if processes.start_time(pid)),
        *processes.of_folder(engine.folder),
        *([engine.folder] if Path(engine.folder).exists() else []),
        *processes.cgroup_folders(f"sandboxd-engine-{NAME}"),
        *(
            line
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if engine.folder in line
        ),
    ]


def test_stop_leaves_nothing(own_engine: private.Engine) -> None:
    pids = [own_engine.pid, *run_sleepers(own_engine)]
    assert len(pids) >= 2
    private.stop(own_engine.folder)
    assert left(own_engine, pids) == []
    private.stop(own_engine.folder)


def test_sweep_after_daemon_and_owner_were_killed(
    own_engine: private.Engine, owner: subprocess.Popen[bytes]
) -> None:
    pids = [own_engine.pid, *run_sleepers(own_engine)]
    assert own_engine.folder not in private.sweep()
    os.kill(own_engine.pid, signal.SIGKILL)
    owner.kill()
    owner.wait()
    private.sweep()
    # Whoever else tests on this machine sweeps, too, and may have begun with it.
    eventually(lambda: left(own_engine, pids) == [], lambda: left(own_engine, pids))


def test_start_of_a_running_engine_returns_it(own_engine: private.Engine) -> None:
    assert private.start(NAME) == own_engine


def test_the_network_and_mounts_of_a_private_engine_are_its_own(own_engine: private.Engine) -> None:
    for space in ("net", "mnt"):
        theirs = os.readlink(f"/proc/{own_engine.pid}/ns/{space}")
        assert theirs != os.readlink(f"/proc/self/ns/{space}")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.write_text("mine")
    with pytest.raises(private.EngineError, match="not empty"):
        private.start(NAME, str(tmp_path))
    private.stop(str(tmp_path))
    assert keep.read_text() == "mine"


def test_the_script_says_what_it_would_do() -> None:
    script = ROOT / "tools" / "private_engine.py"
    done = subprocess.run(
        [sys.executable, str(script), "plan"], capture_output=True, text=True, check=True
    )
    assert "own containerd" in done.stdout
    assert "runsc-sandboxd" in done.stdout
