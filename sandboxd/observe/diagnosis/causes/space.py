"""Folders in memory that are full: they have a size of their own."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line, larger
from sandboxd.plan.layout import HOME
from sandboxd.plan.service_reading import size
from sandboxd.screen import size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# strerror(3) of ENOSPC with the path before or behind it. inotify(7) has the same code for its own limit.
_PATH_BEFORE = re.compile(r"(?:^|[ '‘`\"])([^ '’`\":]+)['’`\"]?: No space left on device")
_PATH_BEHIND = re.compile(
    r"(?:No space left on device|ENOSPC: no space left on device, \w+):? '([^'`]+)'"
)
_ANY = re.compile(r"No space left on device|ENOSPC: no space left on device")
_SHARED_MEMORY = "/dev/shm/"  # noqa: S108  a path inside
_FOLDERS = {"/tmp": "tmp", HOME: "home"}  # noqa: S108  paths inside
_WATCHES = re.compile(r"number of file watchers reached|inotify.{0,200}No space left on device")


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where something was full: for certain if it is a folder in memory."""
    if find_line(failure, _ANY) is None or find_line(failure, _WATCHES) is not None:
        return
    hit = find_line(failure, _PATH_BEFORE) or find_line(failure, _PATH_BEHIND)
    if hit is None:
        yield Answer("", "a file system is full: `sandboxd exec -- df -h` shows which")
        return
    path = posixpath.normpath(posixpath.join(failure.folder or "/", hit[1]))
    if (path + "/").startswith(_SHARED_MEMORY):
        whole = sandbox.container.shm_size
        holds = f"holds {size_text(int(whole.value))}" if whole is not None else "has a size"
        because = f"`/dev/shm` {holds}, in memory"
        change = '`"runArgs": ["--shm-size=1g"]` in devcontainer.json'
        decided_by = sandbox.decided_by("shm_size")
        yield Answer("size of a folder", because, decided_by, change, is_certain=True)
        return
    mount = sandbox.mount_at(path)
    if mount is not None and mount.type == "tmpfs":
        written = next((each[5:] for each in mount.options if each.startswith("size=")), "")
        now = size(written)
        holds = size_text(now) if now else written or "half of it"
        because = f"`{mount.target}` is in memory and holds {holds}"
        decided_by = sandbox.decided_by("mounts", mount.target)
        limit = _limit(sandbox, mount.target)
        change = larger(limit, now, decided_by) if limit and now else ""
        cost = "it counts against the memory limit" if change else ""
        yield Answer("size of a folder", because, decided_by, change, cost, is_certain=True)
        return
    yield Answer("", f"the disk that has `{hit[1]}` is full: `sandboxd exec -- df -h` shows it")


def _limit(sandbox: Sandbox, target: str) -> str:
    """The name of the limit that is the size of a folder in memory; '' for none."""
    if target in _FOLDERS:
        return _FOLDERS[target]
    inside = sandbox.container.working_dir
    if inside is None or not sandbox.reasons:
        return ""
    if target == inside.value:
        return "copy"
    return "hot" if target.startswith(inside.value + "/") else ""
