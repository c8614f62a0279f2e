"""System calls that the standard library does not offer, by number, and the word for "nothing to try"."""

from __future__ import annotations

import ctypes
import os
import re
from typing import Any, NamedTuple

_NUMBERS = {
    # name: (x86_64, aarch64)
    "socket": (41, 198),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "ptrace": (101, 117),
    "clone": (56, 220),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "finit_module": (313, 273),
    "sethostname": (170, 161),
    "syslog": (103, 116),
    "shmget": (29, 194),
    "shmctl": (31, 195),
    "personality": (135, 92),
    "adjtimex": (159, 171),
    "acct": (163, 89),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "ioperm": (173, -1),
    "quotactl": (179, 60),
    "kexec_load": (246, 104),
    "fanotify_init": (300, 262),
    "process_vm_readv": (310, 270),
    "fsopen": (430, 430),
}

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 0x4000, 0x40000
MNT_DETACH = 2


class NotApplicable(Exception):
    """The attempt does not apply here; the text says why."""


class Unable(Exception):
    """The attempt cannot be made as it should, so it shows nothing; the text says why."""


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """Make a system call; integers, bytes, None and ctypes buffers are passed as they are.

    :raises OSError: the kernel refused
    :raises Unable: the number is not known for this processor
    """
    machine = {"x86_64": 0, "aarch64": 1}.get(os.uname().machine)
    if machine is None:
        raise Unable(f"system call numbers of `{os.uname().machine}` are not known")
    return raw_call(_NUMBERS[name][machine], *arguments)


def raw_call(number: int, *arguments: Any) -> int:
    """`call` by number.

    :raises OSError: the kernel refused
    """
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *converted))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def scratch_folder() -> str:
    """A new empty folder of our own inside.

    :raises Unable: nothing inside can be written
    """
    for base in ("/tmp", "/dev/shm", "/var/tmp", "/run"):
        try:
            path = f"{base}/sandboxd-verify-{os.urandom(6).hex()}"
            os.mkdir(path, 0o700)
        except OSError:
            continue
        return path
    raise Unable("no folder inside can be written")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2); '' stands for NULL."""
    texts = [text.encode() if text else None for text in (source, target, kind)]
    call("mount", *texts, flags, data.encode() if data else None)


def own_mounts() -> None:
    """Enter a mount namespace of our own, through a user namespace where that is the only way."""
    try:
        call("unshare", CLONE_NEWNS)
    except OSError:
        call("unshare", CLONE_NEWUSER | CLONE_NEWNS)


def leave_mounts() -> None:
    """Enter a mount namespace of our own that has none of the mounts that were there."""
    own_mounts()
    # Nothing of what follows may reach the namespace that we leave.
    mount("", "/", "", MS_REC | MS_PRIVATE)
    # A folder that every image has; only this process sees the mount.
    mount("none", "/proc", "tmpfs")
    os.chdir("/proc")
    # The old root comes to lie over the new one: a user without a number could make no folder for it.
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)


def read_text(path: str, limit: int = 65536) -> str:
    """The beginning of a file, '' when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def other_processes() -> list[int]:
    """Pids of all visible processes but our own."""
    return [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid()]


class Mount(NamedTuple):
    """A mount that this process sees: where it is, and which folder or file of its file system it shows."""

    point: str
    root: str


def mounts() -> list[Mount]:
    """The mounts that this process sees, in their order (proc_pid_mountinfo(5))."""
    every = []
    for line in read_text("/proc/self/mountinfo", 1 << 20).splitlines():
        fields = line.split(" ")
        if len(fields) > 4:
            root, point = (
                re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), each) for each in fields[3:5]
            )
            every.append(Mount(point, root))
    return every


def mount_points() -> list[str]:
    """The mount points that this process sees."""
    return [each.point for each in mounts()]
