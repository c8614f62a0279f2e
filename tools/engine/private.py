"""The private engine: a dockerd whose files, sockets and namespaces are all its own.

It runs in an unnamed network namespace and a mount namespace of its own, so bridges, firewall
rules and mounts vanish with its last process. Its containers live below one cgroup, by which the
rest is found even when the daemon was killed. `/run/containerd` is covered inside the mount
namespace: the machine's own containerd, if there is one, is neither used nor seen.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from tools.engine import processes, runtimes
from tools.engine.packages import find_program

BASE = "/var/lib/sandboxd-engines"
_START_SECONDS = 180.0
_STOP_SECONDS = 60.0
"""A machine with twenty times too much to do takes so long at the most; else it is a second or two."""

# Runs inside the new namespaces: loopback up, the machine's containerd out of sight, then dockerd.
_ENTER = """
ip link set lo up || exit 1
mkdir -p /run/containerd && mount -t tmpfs -o mode=711 tmpfs /run/containerd || exit 1
exec "$@"
"""


class EngineError(Exception):
    """The engine cannot be started; the text says why and what to do."""


class Engine(NamedTuple):
    """A running private engine."""

    name: str
    folder: str
    pid: int
    gvisor: str
    """Why gVisor is not registered with it, '' when it is."""

    @property
    def docker_host(self) -> str:
        """The value for DOCKER_HOST."""
        return f"unix://{self.folder}/docker.sock"


class _State(NamedTuple):
    """What `engine.json` says; a pid counts only together with its start tick."""

    name: str
    owner: int = 0
    owner_start: str = ""
    pid: int = 0
    pid_start: str = ""
    gvisor: str = ""

    @property
    def cgroup(self) -> str:
        return f"sandboxd-engine-{self.name}"

    def alive(self) -> bool:
        return bool(self.pid_start) and processes.start_time(self.pid) == self.pid_start

    def orphaned(self) -> bool:
        return bool(self.owner) and processes.start_time(self.owner) != self.owner_start


def start(
    name: str,
    folder: str = "",
    owner: int = 0,
    *,
    gvisor: bool = True,
    arguments: Sequence[str] = (),
    prepare: str = "",
) -> Engine:
    """Start an engine, or return the one of this name that runs.

    :param owner: a process; once it is gone, `sweep` stops the engine. 0 = never.
    :param gvisor: whether runsc is registered with it, where it works
    :param arguments: further ones for dockerd
    :param prepare: shell commands to run first in the engine's own namespaces
    :raises EngineError: no root, a program is missing, or dockerd does not come up
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise EngineError(f"`{name}` is no name: use small letters, digits and `-`")
    folder = os.path.abspath(folder or f"{BASE}/{name}")
    _require()
    state = _load(folder)
    if state and state.alive():
        return Engine(state.name, folder, state.pid, state.gvisor)
    stop(folder)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.listdir(folder):
        raise EngineError(f"`{folder}` is not empty and not an engine's: name another folder")
    table, reason = runtimes.configured() if gvisor else ({}, "not asked for")
    state = _State(name, owner, processes.start_time(owner), gvisor=reason)
    _write(folder, "engine.json", state._asdict())
    _write(folder, "daemon.json", {"runtimes": table})
    pid = _spawn(state, folder, arguments, prepare)
    state = state._replace(pid=pid, pid_start=processes.start_time(pid))
    _write(folder, "engine.json", state._asdict())
    answered = False

    def is_settled() -> bool:
        nonlocal answered
        answered = _answers(folder)
        return answered or not state.alive()

    processes.wait_until(is_settled, _START_SECONDS)
    if not answered:
        log = _log_tail(folder)
        stop(folder)
        raise EngineError(f"dockerd did not come up:\n{log}")
    return Engine(name, folder, pid, reason)


def stop(folder: str) -> None:
    """End everything of the engine in `folder` and remove it; nothing to do is no error."""
    folder = os.path.abspath(folder)
    state = _load(folder)
    if state is None:
        return
    if state.alive():
        # Killed first: a daemon told to end waits ten seconds for each deaf container.
        processes.end(processes.of_cgroup(state.cgroup))
        processes.end([state.pid], signal.SIGTERM)
        processes.wait_until(lambda: not state.alive(), _STOP_SECONDS)
    processes.wait_until(lambda: not _end_leftovers(folder, state.cgroup), _STOP_SECONDS)
    # The kernel lets go of the last process of one a moment after its end.
    processes.wait_until(lambda: _without_cgroups(state.cgroup), _STOP_SECONDS)
    _remove(folder)


def sweep() -> list[str]:
    """Stop the engines whose owner is gone; returns their folders."""
    swept = []
    for name in os.listdir(BASE) if os.path.isdir(BASE) else ():
        folder = f"{BASE}/{name}"
        state = _load(folder)
        if state and state.orphaned():
            stop(folder)
            swept.append(folder)
    return swept


def _require() -> None:
    if os.geteuid() != 0:
        raise EngineError("a private engine needs root")
    for program in ("dockerd", "containerd", "runc", "iptables", "unshare"):
        if (_dockerd() if program == "dockerd" else find_program(program)) is None:
            raise EngineError(
                f"`{program}` is missing: run `python tools/private_engine.py install`"
            )


def _dockerd() -> str | None:
    """The dockerd to start: that of `SANDBOXD_TEST_DOCKERD`, beside which its containerd and runc are, or the machine's."""
    return os.environ.get("SANDBOXD_TEST_DOCKERD") or find_program("dockerd")


def _spawn(state: _State, folder: str, arguments: Sequence[str], prepare: str) -> int:
    dockerd = _dockerd()
    assert dockerd is not None
    command = ["unshare", "--net", "--mount", "--propagation", "slave", "sh", "-c"]
    command += [f"{prepare}\n{_ENTER}", "sh"]
    command += [
        dockerd,
        f"--config-file={folder}/daemon.json",
        f"--host=unix://{folder}/docker.sock",
    ]
    command += [f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    command += [f"--pidfile={folder}/docker.pid", f"--cgroup-parent=/{state.cgroup}"]
    command += ["--exec-opt=native.cgroupdriver=cgroupfs", "--shutdown-timeout=1", "--group=root"]
    command += arguments
    environment = {
        # First the programs that another dockerd brought with it.
        "PATH": f"{os.path.dirname(dockerd)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": folder,
        "XDG_RUNTIME_DIR": folder,
    }
    with open(f"{folder}/dockerd.log", "wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
        ).pid


def _end_leftovers(folder: str, cgroup: str) -> bool:
    """Kill what is left of an engine; True while there was something to kill."""
    # By its home a daemon is found that was just forked and not yet written down.
    pids = {
        *processes.of_folder(folder),
        *processes.of_cgroup(cgroup),
        *processes.with_home(folder),
    }
    processes.end(pids)
    return bool(pids)


def _without_cgroups(name: str) -> bool:
    """Remove the cgroups of an engine; whether all are gone."""
    processes.remove_cgroups(name)
    return not processes.cgroup_folders(name)


def _remove(folder: str) -> None:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        points = [line.split()[4] for line in file]
    for point in reversed(points):
        if point.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(BASE)


def _answers(folder: str) -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(2)
        connection.sock = channel
        channel.connect(f"{folder}/docker.sock")
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    return False


def _load(folder: str) -> _State | None:
    try:
        with open(f"{folder}/engine.json", encoding="utf-8") as file:
            return _State(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: str, name: str, value: object) -> None:
    with open(f"{folder}/{name}.new", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
    os.rename(f"{folder}/{name}.new", f"{folder}/{name}")


def _log_tail(folder: str) -> str:
    with open(f"{folder}/dockerd.log", encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-15:])
