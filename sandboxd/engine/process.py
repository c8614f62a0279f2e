"""The process of a Docker engine on this machine, and what its settings say that its API does not.

The API answers nothing on `iptables`: `/info` of Docker 28 names a firewall also where no rules are made.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

from sandboxd.errors import MissingFileError, UnreadableError
from sandboxd.files import read_start

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = "dockerd"
_PID_FILE = "/run/docker.pid"
"""Where an engine writes its pid whose socket systemd listens on."""

_MOST = 65_536
"""Bytes that are read of a command line or of a daemon.json."""


def listener(host: str) -> int:
    """The pid of the process that listens on an engine's socket: the engine, or systemd in its place.

    :param host: a DOCKER_HOST value
    :returns: 0 for an engine that is not reached by a socket of this machine, or that nobody listens for
    """
    if not host.startswith("unix://") or sys.platform != "linux":
        return 0
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2.0)
            probe.connect(host.removeprefix("unix://"))
            peer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return 0
    return int(struct.unpack("3i", peer)[0])


def program(pid: int) -> str:
    """The name of the program that a process runs.

    :raises OSError: there is no such process
    """
    with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
        name = file.read().strip()
    if name != "exe":
        return name
    # Rootless Podman has started itself anew, by /proc/self/exe.
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return os.path.basename(os.fsdecode(file.read(4096).partition(b"\0")[0]))


def makes_rules(host: str) -> bool | None:
    """Whether the Docker engine at `host` makes firewall rules for its networks, by its arguments and its daemon.json.

    :returns: None if its process or its settings cannot be read
    """
    try:
        pid = _engine(listener(host))
        if not pid:
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = os.fsdecode(file.read(_MOST)).split("\0")[1:]
        return rules_by(words, _settings(pid, words))
    except (OSError, ValueError, UnreadableError):
        return None


def rules_by(words: list[str], settings: Mapping[str, Any]) -> bool:
    """Whether rules are made by these arguments of dockerd and these settings of its daemon.json.

    An engine whose arguments and settings name the same option does not start, so the order does not matter.

    :raises ValueError: the value is none that dockerd takes
    """
    flag = _flag(words, "iptables")
    if flag is not None:
        if flag.lower() not in ("", "1", "t", "true", "0", "f", "false"):
            raise ValueError(flag)
        return flag.lower() in ("", "1", "t", "true")
    chosen = settings.get("iptables", True)
    if not isinstance(chosen, bool):
        raise ValueError("`iptables` is neither true nor false")
    return chosen


def _engine(pid: int) -> int:
    """The pid of dockerd, for which systemd may listen; 0 if it is not found."""
    if pid and program(pid) == _PROGRAM:
        return pid
    with contextlib.suppress(OSError, ValueError, UnreadableError):
        other = int(read_start(_PID_FILE, 20))
        if pid == 1 and program(other) == _PROGRAM:
            return other
    return 0


def _settings(pid: int, words: list[str]) -> dict[str, Any]:
    """The engine's daemon.json; {} where there is none.

    :raises UnreadableError: it cannot be read
    :raises ValueError: it is not a JSON object
    """
    path = _flag(words, "config-file") or _default_settings(os.stat(f"/proc/{pid}").st_uid)
    # The engine may be in a mount namespace of its own; only its owner and root may look there.
    for folder in (f"/proc/{pid}/root", ""):
        try:
            settings = json.loads(read_start(folder + path, _MOST))
        except MissingFileError:
            return {}
        except UnreadableError:
            continue
        if not isinstance(settings, dict):
            raise ValueError("not a JSON object")
        return settings
    raise UnreadableError("cannot be read")


def _default_settings(uid: int) -> str:
    if uid == 0:
        return "/etc/docker/daemon.json"
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_dir}/.config/docker/daemon.json"
    except KeyError:
        raise ValueError(f"user {uid} has no home folder") from None


def _flag(words: list[str], name: str) -> str | None:
    """The last value of ``--name=value`` or ``--name value``, '' for a flag alone; None if it is absent."""
    last = None
    for at, word in enumerate(words):
        key, mark, value = word.partition("=")
        if key == f"--{name}":
            after = words[at + 1] if at + 1 < len(words) else ""
            # A switch such as `--iptables` takes its value by `=` alone.
            beside = after if name == "config-file" else ""
            last = value if mark else beside
    return last
