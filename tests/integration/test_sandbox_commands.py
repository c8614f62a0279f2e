"""The commands that run a sandbox, on a machine without an engine: words and exit codes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forked import run_forked
from tests.patience import PATIENCE

COMMANDS = [
    ["up"],
    ["exec", "--", "true"],
    ["shell"],
    ["logs"],
    ["down"],
    ["list"],
    ["verify"],
    ["verify", "--container", "x"],
    ["drift"],
]


def sandboxd(docker_host: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "DOCKER_HOST": docker_host}
    return run_forked(arguments, cwd=folder, env=environ, timeout=2 * PATIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sandboxd.toml").write_text('image = "some/image:1"\n')
    return tmp_path


@contextlib.contextmanager
def broken_engine(words: bytes) -> Iterator[str]:
    """A socket that says `words` to everybody and hangs up."""
    with tempfile.TemporaryDirectory(prefix="sbx-") as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/e.sock")
        listener.listen(8)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{folder}/e.sock"
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def assert_said(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 4, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("error:") == 1
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_engine(project: Path, command: list[str]) -> None:
    done = sandboxd(f"unix://{project}/none.sock", project, *command)
    assert_said(done)
    assert f"{project}/none.sock" in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_engine_that_speaks_nonsense(project: Path, command: list[str]) -> None:
    with broken_engine(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as host:
        assert_said(sandboxd(host, project, *command))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["exec"], "no command is given"),
        (["exec", "--"], "no command is given"),
        (["exec", "--project", "/no/such", "--", "true"], "`/no/such` is not a folder"),
        (["up", "--project", "/etc/passwd"], "`/etc/passwd` is not a folder"),
        (["logs", "--tail", "-3"], "is not a number of lines"),
        (["logs", "--tail=some"], "is not a number of lines"),
        (["verify", "everything"], "is one argument too many"),
    ],
)
def test_a_wrong_command_line_is_told_with_exit_code_2(
    project: Path, arguments: list[str], words: str
) -> None:
    done = sandboxd("unix:///none.sock", project, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr


def test_a_broken_config_is_said_before_the_engine_is_asked(project: Path) -> None:
    (project / "sandboxd.toml").write_text('profil = "dev"\n')
    done = sandboxd("unix:///none.sock", project, "up")
    assert done.returncode == 2
    assert "`profil`" in done.stderr
