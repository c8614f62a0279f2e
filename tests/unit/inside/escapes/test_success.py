"""Attempts that must find a way where there is one: on a played kernel, and, as root, on this one.

An attempt that finds nothing anywhere would let every sandbox hold.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import stat
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxd.inside.escapes import (
    _kernel,
    block_device,
    chroot_climb,
    file_limit,
    foreign_calls,
    io_ports,
    kernel_memory,
    kernel_module,
    kexec,
    limit_raise,
    mount_tmpfs,
    oom_score,
    setns_init,
    sysrq,
    tmpfs_limit,
    workspace_symlink,
)

Facts = dict[str, Any]


def refuse(number: int) -> Callable[..., Any]:
    """A call that the kernel refuses."""

    def refused(*_arguments: object, **_more: object) -> Any:
        raise OSError(number, os.strerror(number))

    return refused


def play(monkeypatch: pytest.MonkeyPatch, module: types.ModuleType, **functions: Any) -> None:
    """Replace functions of `os` for one module."""
    played = types.SimpleNamespace(**{**vars(os), **functions})
    monkeypatch.setattr(module, "os", played)


class Recorded:
    """A call that answers as it is told, and keeps its arguments."""

    def __init__(self, answer: Any = 0) -> None:
        self.answer = answer
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


# System calls


@pytest.mark.parametrize(
    ("module", "name", "wanted", "allowed", "refused"),
    [
        (io_ports, "ioperm", (0x80, 1, 1), None, errno.EPERM),
        # What the kernel answers to somebody with the right, who brings nonsense.
        (kernel_module, "finit_module", None, errno.ENOEXEC, errno.EPERM),
        (kernel_module, "finit_module", None, errno.EINVAL, errno.ENOSYS),
        (kernel_module, "finit_module", None, errno.ETXTBSY, errno.EACCES),
        (kexec, "kexec_load", (0, 0, None, 0x8000), errno.EINVAL, errno.EPERM),
    ],
)
def test_a_call_that_goes_through_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    wanted: tuple[Any, ...] | None,
    allowed: int | None,
    refused: int,
) -> None:
    played = Recorded(OSError(allowed, "") if allowed else 0)
    monkeypatch.setattr(module, "call", played)
    assert module.attempt({})["detail"]
    ((called, *arguments),) = played.calls
    assert called == name
    assert wanted is None or tuple(arguments) == wanted
    monkeypatch.setattr(module, "call", refuse(refused))
    with pytest.raises(OSError) as caught:
        module.attempt({})
    assert caught.value.errno == refused


def test_a_call_by_its_foreign_number_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, foreign_calls, uname=lambda: types.SimpleNamespace(machine="x86_64"))
    played = Recorded()
    monkeypatch.setattr(foreign_calls, "raw_call", played)
    assert foreign_calls.attempt({})["detail"]
    assert played.calls == [(0x40000000 | 272, _kernel.CLONE_NEWUSER)]
    monkeypatch.setattr(foreign_calls, "raw_call", refuse(errno.ENOSYS))
    with pytest.raises(OSError):
        foreign_calls.attempt({})


@pytest.mark.parametrize("module", [foreign_calls, io_ports])
def test_another_processor_has_no_such_call(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    play(monkeypatch, module, uname=lambda: types.SimpleNamespace(machine="aarch64"))
    with pytest.raises(_kernel.NotApplicable):
        module.attempt({})


# Files of the kernel


@pytest.mark.parametrize("open_path", ["/proc/kcore", "/dev/mem", "/dev/kmem"])
def test_kernel_memory_that_opens_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_path: str
) -> None:
    (tmp_path / "memory").write_bytes(b"\x7fELF" + b"\0" * 60)

    def opened(path: str, flags: int) -> int:
        if path != open_path:
            raise PermissionError(errno.EPERM, "")
        return os.open(tmp_path / "memory", flags)

    play(monkeypatch, kernel_memory, open=opened)
    assert open_path in kernel_memory.attempt({})["detail"]
    (tmp_path / "memory").write_bytes(b"")
    with pytest.raises(OSError):
        kernel_memory.attempt({})


def test_a_sysrq_trigger_that_opens_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trigger = tmp_path / "trigger"
    trigger.write_text("")
    asked: list[tuple[str, int]] = []

    def opened(path: str, flags: int) -> int:
        asked.append((path, flags))
        return os.open(trigger, flags)

    play(monkeypatch, sysrq, open=opened)
    assert sysrq.attempt({})["detail"]
    assert asked == [("/proc/sysrq-trigger", os.O_WRONLY)]
    play(monkeypatch, sysrq, open=refuse(errno.EROFS))
    with pytest.raises(OSError):
        sysrq.attempt({})


class Disks:
    """A kernel with one block device, as a node in /dev or by its number only."""

    def __init__(self, folder: Path, *, node: bool, content: bytes = b"disk") -> None:
        self.folder, self.node = folder, node
        (folder / "disk").write_bytes(content)
        self.devices: list[tuple[str, int, int]] = []

    def listdir(self, path: str) -> list[str]:
        return {"/dev": ["null", "sda"] if self.node else ["null"], "/sys/dev/block": ["8:16"]}[
            path
        ]

    def stat(self, path: str) -> Any:
        kind = stat.S_IFBLK if path == "/dev/sda" else stat.S_IFCHR
        return types.SimpleNamespace(st_mode=kind | 0o600)

    def mknod(self, path: str, mode: int, device: int) -> None:
        self.devices.append((path, mode, device))
        Path(path).write_text("")

    def open(self, path: str, flags: int) -> int:
        assert path == "/dev/sda" or self.devices
        return os.open(self.folder / "disk", flags)

    def functions(self) -> dict[str, Any]:
        names = ("listdir", "stat", "mknod", "open")
        return {name: getattr(self, name) for name in names}


@pytest.mark.parametrize("node", [True, False])
def test_a_disk_that_can_be_read_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, node: bool
) -> None:
    disks = Disks(tmp_path, node=node)
    play(monkeypatch, block_device, **disks.functions())
    assert ("/dev/sda" if node else "8:16") in block_device.attempt({})["detail"]
    if not node:
        ((path, mode, device),) = disks.devices
        assert (mode, device) == (stat.S_IFBLK | 0o600, os.makedev(8, 16))
        assert not os.path.exists(path) and not os.path.exists(os.path.dirname(path))


@pytest.mark.parametrize(
    "functions", [{"open": refuse(errno.EPERM)}, {"mknod": refuse(errno.EPERM)}]
)
def test_a_disk_that_cannot_be_read_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, functions: dict[str, Any]
) -> None:
    disks = Disks(tmp_path, node=False)
    play(monkeypatch, block_device, **{**disks.functions(), **functions})
    with pytest.raises(PermissionError):
        block_device.attempt({})


def test_an_empty_device_is_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    play(monkeypatch, block_device, **Disks(tmp_path, node=True, content=b"").functions())
    with pytest.raises(OSError):
        block_device.attempt({})


# Limits


def test_files_beyond_the_limit_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[Any] = []
    monkeypatch.setattr(
        file_limit,
        "resource",
        types.SimpleNamespace(
            RLIMIT_NOFILE=resource.RLIMIT_NOFILE, setrlimit=lambda *limit: limits.append(limit)
        ),
    )
    opened = Recorded()
    play(monkeypatch, file_limit, dup=opened)
    assert file_limit.attempt({})["detail"]
    assert limits == [(resource.RLIMIT_NOFILE, (64, 64))]
    assert len(opened.calls) > 64
    play(monkeypatch, file_limit, dup=refuse(errno.EMFILE))
    with pytest.raises(OSError):
        file_limit.attempt({})


def test_a_hard_limit_that_can_be_raised_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[Any] = []

    def setrlimit(kind: int, limit: tuple[int, int]) -> None:
        if limits and limit[1] > limits[-1][1] and refused:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(limit)

    played = types.SimpleNamespace(RLIMIT_NOFILE=resource.RLIMIT_NOFILE, setrlimit=setrlimit)
    monkeypatch.setattr(limit_raise, "resource", played)
    refused = False
    assert limit_raise.attempt({})["detail"]
    assert limits[1][1] > limits[0][1]
    refused = True
    with pytest.raises(PermissionError, match="not allowed"):
        limit_raise.attempt({})


def test_a_score_that_can_be_lowered_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "oom_score_adj"
    asked: list[str] = []

    def opened(path: str, mode: str) -> Any:
        asked.append(path)
        return file.open(mode)

    monkeypatch.setattr(oom_score, "open", opened, raising=False)
    assert oom_score.attempt({})["detail"]
    assert asked == ["/proc/self/oom_score_adj"] and file.read_text() == "-1000"
    monkeypatch.setattr(oom_score, "open", refuse(errno.EACCES), raising=False)
    with pytest.raises(PermissionError):
        oom_score.attempt({})


def test_a_memory_file_system_that_gives_more_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reserved = Recorded(None)
    play(monkeypatch, tmpfs_limit, posix_fallocate=reserved)
    facts = {"tmpfs": {str(tmp_path): 1 << 20}}
    assert str(tmp_path) in tmpfs_limit.attempt(facts)["detail"]
    ((_, offset, size),) = reserved.calls
    assert (offset, size) == (0, (1 << 20) + 4096)
    play(monkeypatch, tmpfs_limit, posix_fallocate=refuse(errno.ENOSPC))
    with pytest.raises(OSError):
        tmpfs_limit.attempt(facts)
    with pytest.raises(_kernel.NotApplicable):
        tmpfs_limit.attempt({"tmpfs": {}})


def test_a_host_file_behind_a_link_is_reported(tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("secret")
    facts = {"canary": str(tmp_path / "canary"), "link_folder": str(tmp_path)}
    assert workspace_symlink.attempt(facts)["token"] == "secret"
    assert sorted(os.listdir(tmp_path)) == ["canary"]
    with pytest.raises(_kernel.NotApplicable):
        workspace_symlink.attempt({**facts, "link_folder": ""})


# A process with every right, outside of any sandbox


WITH_EVERY_RIGHT = """
import importlib, json, os, sys
from sandboxd.inside.escapes import _kernel
attempt = importlib.import_module(sys.argv[1]).attempt
try:
    _kernel.call("unshare", _kernel.CLONE_NEWNS)
    result = attempt(json.loads(sys.argv[2]))
except BaseException as error:
    result = {"failed": repr(error)}
os.write(1, json.dumps(result).encode())
os._exit(0)
"""


def with_every_right(module: types.ModuleType, facts: Facts) -> Facts:
    """What an attempt reports from a process of its own in a mount namespace of its own."""
    command = [sys.executable, "-c", WITH_EVERY_RIGHT, module.__name__, json.dumps(facts)]
    reported: Facts = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return reported


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has every right")


@as_root
@pytest.mark.parametrize("module", [chroot_climb, setns_init])
def test_a_way_out_to_the_host_s_files_is_found(module: Any, tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("secret")
    reported = with_every_right(module, {"canary": str(tmp_path / "canary")})
    assert reported.get("token") == "secret", reported


@as_root
def test_the_right_to_mount_is_found() -> None:
    reported = with_every_right(mount_tmpfs, {})
    assert "detail" in reported, reported


def test_a_right_that_is_missing_is_told_from_one_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    # Undone at the end: one attempt changes the working folder.
    monkeypatch.chdir(tmp_path)
    for module in (mount_tmpfs, setns_init):
        monkeypatch.setattr(module, "call", refuse(errno.EPERM), raising=False)
    monkeypatch.setattr(mount_tmpfs, "mount", refuse(errno.EPERM))
    play(monkeypatch, chroot_climb, chroot=refuse(errno.EPERM))

    def readlink(path: str) -> str:
        if path == "/proc/8/ns/mnt":
            raise FileNotFoundError(errno.ENOENT, "it ended meanwhile")
        return path

    play(monkeypatch, setns_init, readlink=readlink, open=lambda *_: -1)
    monkeypatch.setattr(setns_init, "other_processes", lambda: {7, 8})
    for module in (mount_tmpfs, chroot_climb):
        monkeypatch.setattr(module, "scratch_folder", lambda: scratch.mkdir() or str(scratch))
    for module in (mount_tmpfs, setns_init, chroot_climb):
        with pytest.raises(OSError) as raised:
            module.attempt({"canary": "/nonexistent"})
        assert raised.value.errno == errno.EPERM
        assert not scratch.exists()
