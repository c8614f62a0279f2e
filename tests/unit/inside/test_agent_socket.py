"""The socket in the sandbox: whoever is inside may use it, and each start makes it anew."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.forward.trunk import program
from sandboxd.inside import agent_socket


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "agent"
    monkeypatch.setattr(agent_socket, "SOCKET", str(path))
    before = os.umask(0o077)
    yield path
    os.umask(before)


def test_each_user_of_the_sandbox_may_use_it_whatever_the_umask_says(path: Path) -> None:
    with agent_socket.listen(), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        client.connect(str(path))


@pytest.mark.parametrize("kind", ["socket", "file", "link to nothing"])
def test_what_is_there_from_before_is_replaced(path: Path, kind: str) -> None:
    if kind == "socket":
        agent_socket.listen().close()
    elif kind == "file":
        path.write_text("")
    else:
        path.symlink_to(path.parent / "nothing")
    with agent_socket.listen(), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_ISSOCK(path.lstat().st_mode)
        client.connect(str(path))


def test_where_there_can_be_none_it_says_why(tmp_path: Path) -> None:
    path = str(tmp_path / "missing" / "agent")
    text = program(agent_socket).replace(agent_socket.SOCKET, path)
    done = subprocess.run(
        [sys.executable, "-I", "-c", text], input=b"", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (1, f"{path}: No such file or directory")
