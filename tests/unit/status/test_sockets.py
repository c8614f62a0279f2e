"""Sockets of the host in a workspace that a container shares."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.model.container import Container, Mount
from sandboxd.model.values import Origin, Value
from sandboxd.observe.control import Control, State
from sandboxd.status.sockets import with_sockets


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as listener, monkeypatch.context() as patched:
        # The path of a socket is short.
        patched.chdir(tmp_path)
        listener.bind("run/db")
        yield str(tmp_path)


def container(source: str) -> Container:
    mount = Value(Mount("bind", source, "/w"), Origin("engine", "c1"))
    return Container("c1", None, mounts=(mount,))


def test_one_in_a_shared_workspace_is_open(workspace: str) -> None:
    (control,) = with_sockets((), workspace, container(workspace))
    assert control.state == "not in force" and control.why.startswith("`run/db`: a program on the")


def test_one_in_a_workspace_that_is_not_shared_is_not(workspace: str, tmp_path: Path) -> None:
    assert with_sockets((), workspace, container(str(tmp_path / "copy"))) == ()


@pytest.mark.parametrize(("state", "number"), [("in force", 1), ("not in force", 2)])
def test_a_gvisor_opens_none_unless_it_is_told_to(
    workspace: str, state: State, number: int
) -> None:
    has = Control("no host sockets", state, "")
    assert len(with_sockets((has,), workspace, container(workspace))) == number
