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


def test_only_the_shim_and_the_gvisor_of_the_container_are_ended(killed: list[int]) -> None:
    assert runtime_processes.end(ID) == ([12, 10], [])
    assert killed == [12, 10]


@pytest.mark.parametrize("name", ["runsc", "runsc-gofer", "runsc-sandbox"])
def test_each_program_of_gvisor_is_known_by_its_name(
    killed: list[int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`runsc` itself waits for the sandbox; the other two name themselves so once they run."""
    own = [(20, name, ["--root=/x", "wait", ID]), (21, name, ["--root=/x", "wait", "other"])]
    monkeypatch.setattr(runtime_processes, "_processes", lambda: iter(own))
    assert runtime_processes.end(ID) == ([20], [])


def test_another_user_s_are_named(killed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN", "1")
    assert runtime_processes.end(ID) == ([12], [10])


def test_this_process_is_seen() -> None:
    assert os.getpid() in {pid for pid, _, _ in runtime_processes._processes()}
