"""An engine behind ssh: a private sshd on loopback, the real `ssh`, and every command through it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import ports
from tests.e2e import sandboxes
from tests.e2e.test_private_engine import ROOT
from tests.patience import eventually

# It wants a folder of its own in /run.
_START = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"'

pytestmark = pytest.mark.engine


class Far(NamedTuple):
    """An engine as seen through ssh."""

    host: str
    config: Path
    """A folder with the client's settings, in place of the machine's."""

    def run(self, folder: Path, *arguments: str, data: bytes = b"", host: str = "") -> Any:
        """`sandboxd` in a mount namespace where `ssh` has our settings."""
        script = 'mount --bind $1 /etc/ssh/ssh_config.d && shift && exec env -C $1 "${@:2}"'
        return subprocess.run(
            [
                *("unshare", "--mount", "bash", "-c", script, "sh"),
                *(str(self.config), str(folder), sys.executable, "-m", "sandboxd", *arguments),
            ],
            input=data,
            capture_output=True,
            check=False,
            timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DOCKER_HOST": host or self.host},
        )


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a private sshd, and settings by which `ssh` trusts and reaches it."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or not os.path.isdir("/etc/ssh/ssh_config.d"):
        pytest.skip("no ssh engine: openssh-server is not installed")
    if shutil.which("docker") is None:
        pytest.skip("no ssh engine: the other end needs the docker command")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "key", "stranger"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(keygen, check=True)
    config = folder / "client"
    config.mkdir()
    (config / "ours.conf").write_text(
        f"IdentityFile {folder}/key\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known\n"
    )
    options = {
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "key.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "yes",
        "MaxStartups": "50",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    log = folder / "log"
    with ports.free_port() as port, log.open("w") as stderr:
        server = subprocess.Popen(
            [
                *("unshare", "--mount", "sh", "-c", _START, "sh", program, *words),
                *("-D", "-e", "-f", "/dev/null", "-p", str(port), "-o", "ListenAddress=127.0.0.1"),
            ],
            stderr=stderr,
        )
        try:
            eventually(
                lambda: server.poll() is not None or "Server listening on" in log.read_text(),
                log.read_text,
            )
            assert server.poll() is None, log.read_text()
            (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
            yield port, config
        finally:
            server.terminate()
            server.wait()


@pytest.fixture
def far(engine: str, sshd: tuple[int, Path]) -> Far:
    port, config = sshd
    return Far(f"ssh://root@127.0.0.1:{port}{engine.removeprefix('unix://')}", config)


def test_the_facts_of_an_engine_behind_ssh_are_known(far: Far, tmp_path: Path) -> None:
    shown = far.run(tmp_path, "doctor", "--json")
    facts = json.loads(shown.stdout)
    assert facts["engine"]["error"] == "", shown.stderr
    assert facts["platform"] == "remote" and facts["engine"]["host"] == far.host


def test_a_sandbox_from_its_start_to_its_end(far: Far, busybox_image: str, tmp_path: Path) -> None:
    project = sandboxes.make_project(tmp_path / "ws", busybox_image, "runc")
    started = far.run(project, "up")
    assert started.returncode == 0, started.stderr
    try:
        data = os.urandom(300_000)
        echoed = far.run(project, "exec", "--", "cat", data=data)
        assert (echoed.returncode, echoed.stdout) == (0, data), "both ways, and the input's end"
        failed = far.run(project, "exec", "-n", "--", "sh", "-c", "echo no >&2; exit 7")
        assert (failed.returncode, failed.stderr) == (7, b"no\n")
        assert far.run(project, "logs").returncode == 0
        denied = far.run(
            project, "exec", "-n", "--", "wget", "-q", "-O", "-", "http://denied.test/"
        )
        assert b"403" in denied.stderr
        assert b"denied.test" in far.run(project, "egress", "log").stdout
        assert str(project).encode() in far.run(project, "list").stdout
    finally:
        assert far.run(project, "down").returncode == 0
    # Each login ends with its command.
    eventually(lambda: not ssh_processes(far), lambda: ssh_processes(far))


@contextlib.contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        yield
    finally:
        path.write_text(text)


def test_a_login_that_is_refused(far: Far, tmp_path: Path) -> None:
    with changed(far.config / "ours.conf", "/key\n", "/stranger\n"):
        refused = far.run(tmp_path, "list")
    assert refused.returncode == 4
    assert b"ssh does not lead to the container engine" in refused.stderr
    assert b"Permission denied" in refused.stderr and b"hint: log in once" in refused.stderr


def test_a_machine_whose_key_is_not_known(far: Far, tmp_path: Path) -> None:
    with changed(far.config.parent / "known", "ssh-ed25519", "ssh-unknown"):
        refused = far.run(tmp_path, "list")
    assert refused.returncode == 4
    assert b"Host key verification failed" in refused.stderr


def test_the_engine_is_not_running_there(far: Far, tmp_path: Path) -> None:
    refused = far.run(tmp_path, "list", host=far.host + "x")
    assert refused.returncode == 4
    assert b"docker.sockx" in refused.stderr and b"hint:" in refused.stderr


def ssh_processes(far: Far) -> list[str]:
    """Command lines of `ssh` that lead to our sshd."""
    port = far.host.rpartition(":")[2].partition("/")[0].encode()
    pids = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"ssh") and port in words:
                pids.append(b" ".join(words).decode())
    return pids
