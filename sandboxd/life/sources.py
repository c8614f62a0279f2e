"""Checks that the engine sees the same folders as this process: it mounts from its own machine's disk.

An engine on another machine, or in a virtual machine that shares only some folders, finds another folder at the same
path, often an empty one, and mounts that silently. So before the container is started, its files are compared with
those here.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from sandboxd.engine.process import listener, program
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import MountRequest, PathStat

# Programs at the other end of a local socket that are an engine of this machine, or hand over to one.
_LOCAL = frozenset(
    ("dockerd", "systemd", "init", "podman", "containerd", "rootlesskit", "docker-proxy", "conmon")
)
# A clone of the workspace differs somewhere in its first entries, or it is as good as the workspace.
_ENTRIES = 12


def on_this_machine(engine: Engine) -> bool:
    """Whether the engine certainly uses this machine's files: its socket is local, and an engine's process listens on
    it.
    """
    return engine_process(engine) != 0


def can_read_ours(engine: Engine) -> bool:
    """Whether the engine can mount files from folders that only this user may read: its process is root's or this
    user's, and root inside is no other user outside (`userns-remap`), as whom gVisor opens them.
    """
    pid = engine_process(engine)
    try:
        is_ours = pid != 0 and os.stat(f"/proc/{pid}").st_uid in (0, os.geteuid())
    except OSError:
        return False
    return is_ours and "name=userns" not in (engine.info().get("SecurityOptions") or [])


def engine_process(engine: Engine) -> int:
    """The pid of the process on this machine that listens on the engine's socket: the engine, or systemd for it.

    :returns: 0 if there is none, or it is another program
    """
    pid = listener(engine.host)
    try:
        return pid if pid and program(pid) in _LOCAL else 0
    except OSError:
        return 0


def check(engine: Engine, container: str, mounts: Sequence[MountRequest]) -> None:
    """Compare the bind mounts of a created container, as the engine sees them, with the files here.

    :raises EnvironmentFailure: the engine sees another folder or file
    """
    binds = [mount for mount in mounts if mount.get("Type") == "bind"]
    if not binds or on_this_machine(engine):
        return
    for mount in binds:
        for source, target in _samples(mount["Source"], mount["Target"]):
            why = _difference(source, engine.path_stat(container, target))
            if why:
                raise elsewhere(engine, mount["Source"], f"`{source}` {why}")


def elsewhere(engine: Engine, path: str, why: str) -> EnvironmentFailure:
    """The error for an engine that sees another folder at `path`.

    :param why: the difference, in words
    """
    return EnvironmentFailure(
        f"the engine at `{engine.host}` mounts from its own disk, and `{path}` is another folder "
        f"there: {why}",
        "share or copy the workspace to the same path on the engine's machine, or run sandboxd there; "
        "for an engine on this machine: `docker context use default`, and unset DOCKER_HOST",
    )


def _samples(source: str, target: str) -> Iterator[tuple[str, str]]:
    """The mount itself, and the first entries of a folder."""
    yield source, target
    if os.path.isdir(source):
        for name in sorted(os.listdir(source))[:_ENTRIES]:
            yield os.path.join(source, name), f"{target.rstrip('/')}/{name}"


def _difference(source: str, engine_stat: PathStat | None) -> str:
    """The difference between `source` and what the engine sees there, in words; '' for none."""
    try:
        here = os.lstat(source)
    except FileNotFoundError:
        return ""
    if engine_stat is None:
        return "is not there"
    # Go's mode bits: the highest is a folder, the fifth highest a symbolic link.
    mode = int(engine_stat.get("mode") or 0)
    folder, link = bool(mode & 1 << 31), bool(mode & 1 << 27)
    if stat.S_ISDIR(here.st_mode) != folder or stat.S_ISLNK(here.st_mode) != link:
        return "is of another kind there"
    if stat.S_ISREG(here.st_mode) and engine_stat.get("size") != here.st_size:
        return f"has {engine_stat.get('size')} bytes there and {here.st_size} here"
    return ""
