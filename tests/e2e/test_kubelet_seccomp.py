"""The filters of `export kubernetes --seccomp-files` under containerd, which a kubelet's node has.

`ctr --seccomp-profile` reads a file by the function that the kubelet's `Localhost` ends in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.verify import listeners
from tests.e2e import sandboxes
from tests.patience import PATIENCE

pytestmark = pytest.mark.engine

Run = Callable[[Path, str], subprocess.CompletedProcess[str]]


@pytest.fixture
def run(engine: str, busybox_image: str, tmp_path: Path) -> Run:
    """Runs a command of a shell as user 1000 without rights, under a filter, in the engine's own containerd."""
    if shutil.which("ctr") is None:
        pytest.skip("no ctr: THE FILTERS FOR A KUBELET WERE NOT TRIED")
    address = engine.removeprefix("unix://").replace(
        "docker.sock", "exec/containerd/containerd.sock"
    )
    if not os.path.exists(address):
        pytest.skip(
            "the engine's containerd is not its own: THE FILTERS FOR A KUBELET WERE NOT TRIED"
        )
    root = tmp_path / "root"
    root.mkdir()
    made = subprocess.run(
        ["docker", "-H", engine, "create", busybox_image],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    export = subprocess.Popen(["docker", "-H", engine, "export", made], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-xf", "-", "-C", str(root)], stdin=export.stdout, check=True)
    export.wait()
    subprocess.run(["docker", "-H", engine, "rm", made], check=True, capture_output=True)

    def run(profile: Path, command: str) -> subprocess.CompletedProcess[str]:
        words = ["nsenter", "-t", str(listeners.engine_pid(engine)), "-m", "ctr", "-a", address, "run", "--rm", "--rootfs", "--user", "1000:1000", "--seccomp", "--seccomp-profile", str(profile)]  # fmt: skip
        words += [str(root), "sandboxd-filter", "/bin/sh", "-c", command]
        return subprocess.run(
            words, capture_output=True, text=True, timeout=5 * PATIENCE, check=False
        )

    return run


@pytest.fixture
def written(tmp_path: Path, engine: str, busybox_image: str) -> Path:
    """The filter of profile `dev` as the command writes it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text(f'image = "{busybox_image}"\n[network]\nmode = "none"\n')
    done = sandboxes.run(engine, folder, "export", "kubernetes", "--seccomp-files", "filters")
    assert done.returncode == 0, done.stderr
    assert {p.parent.name for p in (folder / "filters").rglob("*.json")} == {"amd64", "arm64"}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    return folder / "filters" / machine / "dev-runc.json"


def test_a_namespace_of_ones_own_is_refused_and_work_goes_on(run: Run, written: Path) -> None:
    refused = run(written, "unshare -Ur true")
    assert refused.returncode != 0 and "Operation not permitted" in refused.stderr
    assert run(written, "cat /proc/self/status | grep Seccomp:; echo x | wc -c").stdout == "Seccomp:\t2\n2\n"  # fmt: skip


def test_in_the_form_that_docker_reads_it_would_go_through(run: Run) -> None:
    """Should this fail, containerd has learnt the conditions, and the other form is no longer needed."""
    docker_form = Path(data_path("profiles", "seccomp", "dev-runc.json"))
    command = "unshare -Urm sh -c 'mount -t tmpfs none /mnt 2>/dev/null || mount -t tmpfs none /tmp; echo mounted'"
    done = run(docker_form, command)
    if "unshare" in done.stderr:
        pytest.skip(f"this kernel gives nobody a user namespace: {done.stderr}")
    assert done.stdout == "mounted\n"
