"""Only the processes behind the very container are ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from sandboxd.host import runtime_processes

ID = "c0ffee" * 10
PROCESSES = [
    (10, "containerd-shim-runc-v2", ["-namespace", "moby", "-id", ID, "-address", "/x"]),
    (11, "containerd-shim-runc-v2", ["-namespace", "moby", "-id", f"{ID}0"]),
    (12, "runsc-sandbox", ["--root=/x", "boot", f"--bundle=/x/{ID}", ID]),
    (13, "sh", ["-c", f"echo -id {ID}"]),
    (14, "docker", ["rm", "-f", ID]),
    (15, "containerd-shim-runc-v2", [ID, "-id", "other"]),
]


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    pids: list[int] = []

    def kill(pid: int, number: int) -> None:
        assert number == signal.SIGKILL
        if pid == 10 and os.environ.get("FOREIGN"):
            raise PermissionError
        pids.append(pid)

    monkeypatch.setattr(runtime_processes, "_processes", lambda: iter(PROCESSES))
    monkeypatch.setattr(os, "kill", kill)
    yield pids


def test_its_shim_and_its_gvisor_and_nobody_else(killed: list[int]) -> None:
    assert runtime_processes.end(ID) == ([12, 10], [])
    assert killed == [12, 10]


def test_another_user_s_are_named(killed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN", "1")
    assert runtime_processes.end(ID) == ([12], [10])


def test_this_process_is_seen() -> None:
    assert os.getpid() in {pid for pid, _, _ in runtime_processes._processes()}
