"""Capabilities that the sandbox, or its user, does not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, as_root, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# The capability that decides, by capabilities(7), and the words of the program when it is missing: of util-linux,
# iproute2, iptables, iputils, kmod, coreutils, libcap and busybox, seen in sandboxes of this project.
_TABLE = (
    (
        "SYS_TIME",
        "the clock is set",
        re.compile(r"cannot set date: Operation not permitted"),
    ),
    (
        "NET_ADMIN",
        "the network is configured",
        re.compile(
            r"RTNETLINK answers: (?:Operation not permitted|Permission denied)"
            r"|Permission denied \(you must be root\)"
        ),
    ),
    (
        "SYS_ADMIN",
        "something is mounted",
        re.compile(r"must be superuser to use u?mount|^mount: .{0,200}[Pp]ermission denied"),
    ),
    (
        "SYS_ADMIN",
        "the host name is set",
        re.compile(r"must be root to change the host name|sethostname: Operation not permitted"),
    ),
    (
        "SYS_ADMIN",
        "a namespace is entered",
        re.compile(r"reassociate to namespaces? .{0,200}failed: Operation not permitted"),
    ),
    (
        "SYS_ADMIN",
        "swap is used",
        re.compile(r"^swapon: .{0,200}Operation not permitted"),
    ),
    (
        "SYSLOG",
        "the kernel's log is read",
        re.compile(r"read kernel buffer failed: Operation not permitted"),
    ),
    (
        "NET_RAW",
        "raw sockets are used",
        re.compile(r"missing cap_net_raw|^ping: socktype: SOCK_RAW|^ping: permission denied"),
    ),
    (
        "MKNOD",
        "device files are made",
        re.compile(r"^mknod: .{0,200}: Operation not permitted"),
    ),
    (
        "SYS_NICE",
        "priority is raised",
        re.compile(
            r"cannot set niceness: Permission denied|failed to set priority .{0,200}Permission denied"
        ),
    ),
    (
        "SETFCAP",
        "capabilities of files are set",
        re.compile(
            r"Failed to set capabilities on file .{0,200}Operation not permitted"
            r"|unable to set CAP_SETFCAP effective capability"
        ),
    ),
    (
        "SYS_MODULE",
        "modules of the kernel are loaded",
        re.compile(
            r"^(?:modprobe|insmod): ERROR: could not insert .{0,200}Operation not permitted"
        ),
    ),
    (
        "CHOWN",
        "an owner is changed",
        re.compile(r"changing (?:ownership|group) of .{0,200}: Operation not permitted"),
    ),
    (
        "SYS_CHROOT",
        "the root folder is changed",
        re.compile(r"cannot change root directory .{0,200}Operation not permitted"),
    ),
    (
        "NET_BIND_SERVICE",
        "a port below 1024 is opened",
        re.compile(
            r"bind\(?\)? (?:to|on) \S*:\d{1,3} failed \(13: Permission denied\)"
            r"|listen EACCES: permission denied \S*:\d{1,3}$"
        ),
    ),
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer for each capability whose absence the program's words are about, and that is absent."""
    for name, purpose, pattern in _TABLE:
        if not sandbox.has(name) and find_line(failure, pattern) is not None:
            yield _answer(name, purpose, failure, sandbox)


def _answer(name: str, purpose: str, failure: Failure, sandbox: Sandbox) -> Answer:
    is_there = sandbox._replace(is_root=True).has(name)
    if is_there:
        because = f"{purpose} with the capability `{name}`, which only root has in this sandbox"
        decided_by = sandbox.decided_by("user")
        return Answer("non-root user", because, decided_by, as_root(failure), "", is_certain=True)
    because = f"{purpose} with the capability `{name}`, which the sandbox does not have"
    change = cost = ""
    if name in sandbox.may_add:
        change = f'`[capabilities] add = ["{name}"]` in sandboxd.toml, then `sandboxd trust add`'
        cost = f"everything that runs as root inside has `{name}`"
    decided_by = sandbox.decided_by("cap_drop")
    return Answer("capabilities", because, decided_by, change, cost, is_certain=True)
