"""Runs inside a container, with nothing but the standard library: what can be done in here?

Prints one JSON object: name of the observation -> whether it could be done. The names are those of
the table in `test_premises.py`.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
SYSLOG, OPEN_BY_HANDLE_AT, BPF = 103, 304, 321
HOST = json.loads(sys.argv[1])


def call(number: int, *arguments: object) -> int:
    """0, or the error of a system call."""
    ctypes.set_errno(0)
    return 0 if LIBC.syscall(number, *arguments) >= 0 else ctypes.get_errno()


def is_denied(error: int) -> bool:
    return error in (errno.EPERM, errno.EACCES, errno.ENOSYS)


def read(path: str) -> str:
    with open(path) as file:
        return file.read()


def capability(number: int) -> bool:
    mask = next(line for line in read("/proc/self/status").splitlines() if "CapEff" in line)
    return bool(int(mask.split()[1], 16) >> number & 1)


def kernel_log() -> bool:
    return call(SYSLOG, 10, None, 0) == 0


def bpf_program() -> bool:
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    return call(BPF, 0, attributes, 128) == 0


def packet_socket() -> bool:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    return True


def change_interface() -> bool:
    """Setting the flags of the loopback to what they are asks for NET_ADMIN and changes nothing."""
    import fcntl
    import struct

    with socket.socket() as any_socket:
        name = b"lo".ljust(16, b"\0")
        flags = fcntl.ioctl(any_socket, 0x8913, name + bytes(16))
        fcntl.ioctl(any_socket, 0x8914, name + flags[16:18] + bytes(14))
    return bool(struct.unpack("h", flags[16:18])[0])


def open_by_handle() -> bool:
    handle = (ctypes.c_uint32 * 40)(128)
    mount = ctypes.c_int()
    if LIBC.name_to_handle_at(-100, b"/m", handle, ctypes.byref(mount), 0):
        return call(OPEN_BY_HANDLE_AT, -1, handle, 0) == errno.EBADF
    folder = os.open("/m", os.O_RDONLY)
    return not is_denied(call(OPEN_BY_HANDLE_AT, folder, handle, 0))


def trace_child() -> bool:
    """What a debugger does: start a program that asks to be traced, and read its memory."""
    child = os.fork()
    if child == 0:
        LIBC.ptrace(0, 0, None, None)
        os.kill(os.getpid(), 19)
        os._exit(0)
    _, status = os.waitpid(child, os.WUNTRACED)
    traced = os.WIFSTOPPED(status) and LIBC.ptrace(7, child, None, None) == 0
    os.waitpid(child, 0)
    return traced


def sees_host_process() -> bool:
    return os.path.exists(f"/proc/{HOST['pid']}/cmdline") and HOST["command"] in read(
        f"/proc/{HOST['pid']}/cmdline"
    )


def sees_host_process_by_mount() -> bool:
    return HOST["command"] in read(f"/host-proc/{HOST['pid']}/cmdline")


def host_shared_memory() -> bool:
    return os.path.exists(f"/dev/shm/{HOST['marker']}")


def host_interfaces() -> bool:
    return "docker0:" in read("/proc/net/dev")


def host_name() -> bool:
    return bool(socket.gethostname() == HOST["name"])


def host_cgroup_path() -> bool:
    return any(line.rstrip().split(":", 2)[2] != "/" for line in open("/proc/self/cgroup"))


def kernel_settings() -> bool:
    """Root may open what is mounted read-only otherwise; nothing is written."""
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    return True


def disk_by_its_number() -> bool:
    path = "/tmp/disk"
    os.mknod(path, 0o060600, os.makedev(*HOST["disk"]))
    try:
        os.close(os.open(path, os.O_RDONLY))
    finally:
        os.unlink(path)
    return True


def syscalls_unfiltered() -> bool:
    return "Seccomp:\t0" in read("/proc/self/status")


def in_group_disk() -> bool:
    return 6 in os.getgroups()


def write_root() -> bool:
    with open("/new-file", "w") as file:
        file.write("x")
    return True


def write_workspace_config() -> bool:
    with open("/m/.devcontainer/devcontainer.json", "a") as file:
        file.write(" ")
    return True


def connect_host_socket() -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/m/host.sock")
    return True


def make_folder() -> bool:
    os.mkdir("/tmp/folder")
    return True


def other_loopback() -> bool:
    with socket.create_connection(("127.0.0.1", 9099), timeout=60):
        return True


def other_process() -> bool:
    return any(
        "9099" in read(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()
    )


def other_volume() -> bool:
    return os.path.isdir("/of-the-other")


def observe(names: list[str]) -> dict[str, bool]:
    done: dict[str, bool] = {}
    for name in names:
        kind, _, number = name.partition(":")
        try:
            function: Callable[..., bool] = globals()[kind]
            done[name] = function(int(number)) if number else function()
        except OSError:
            done[name] = False
    return done


print(json.dumps(observe(HOST["observations"])))
