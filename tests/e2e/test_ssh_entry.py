"""The real ssh into a real sandbox, by the image's sshd over `exec`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import rich_image, sandboxes
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("shared_cache"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("ssh", "sshd", "ssh-keygen"))), reason="no OpenSSH here"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("sshd-session", "sshd-auth", "sftp-server")


def _add(root: Path) -> list[str]:
    """OpenSSH's server, of this machine."""
    (root / "usr/sbin").mkdir(parents=True, exist_ok=True)
    (root / "usr/lib/openssh").mkdir(parents=True, exist_ok=True)
    paths = ["/usr/sbin/sshd", *(f"/usr/lib/openssh/{name}" for name in _PROGRAMS)]
    there = [path for path in paths if os.path.exists(path)]
    for path in there:
        shutil.copy2(path, root / path.lstrip("/"))
    return there


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image that has sshd."""
    return rich_image.build(engine, tmp_path_factory.mktemp("ssh"), "sandboxd-ssh:1", _add).image


@pytest.fixture
def up(engine: str, image: str, runtime: str, tmp_path: Path) -> Iterator[Path]:
    """A running sandbox of that image."""
    folder = tmp_path / "my shop"
    folder.mkdir()
    project = sandboxes.make_project(folder, image, runtime)
    sandboxes.open_to_user(folder)
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    yield project
    sandboxes.run(engine, project, "down")


def ssh(entry: str, *words: str) -> subprocess.CompletedProcess[str]:
    _, _, config, host = entry.split()
    return subprocess.run(
        ["ssh", "-F", config, host, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_ssh_enters_with_what_exec_has_until_down(engine: str, up: Path) -> None:
    made = sandboxes.run(engine, up, "ssh")
    assert made.returncode == 0, made.stderr
    entry = made.stdout.strip()
    assert entry.endswith(" my-shop.sandboxd") and "Include" in made.stderr
    said = ssh(entry, "cat main.py; id -u; exit 7")
    assert (said.returncode, said.stdout) == (7, "print('hello')\n1000\n"), said.stderr
    by_exec = sandboxes.run(engine, up, "exec", "sh", "-c", "echo $PATH-$PWD").stdout
    assert ssh(entry, "echo $PATH-$PWD").stdout == by_exec
    assert ssh(entry, "-A", "echo ${SSH_AUTH_SOCK-}").stdout.strip() == "", "no agent goes in"
    assert ssh(entry, "ls -d /tmp/.sandboxd-ssh.* | wc -l").stdout.strip() == "1"
    assert sandboxes.run(engine, up, "down").returncode == 0
    gone = ssh(entry, "true")
    assert gone.returncode == 255
    assert not list(Path(entry.split()[2]).parent.glob("*/user"))


def test_an_image_without_a_server_says_what_to_add(engine: str, project: Path) -> None:
    assert sandboxes.run(engine, project, "up").returncode == 0
    done = sandboxes.run(engine, project, "ssh")
    assert done.returncode == 4 and "`openssh-server`" in done.stderr, done.stderr
    assert sandboxes.run(engine, project, "down").returncode == 0
