"""Replaces system files atomically, and restores them byte for byte with owner and mode."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
from typing import Any

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup.journal import sync_folder
from sandboxd.setup.step import Say, State

_LARGEST = 4 << 20


def snapshot(path: str) -> State:
    """Read the state of `path` from which `restore` can restore it.

    :raises EnvironmentFailure: it is not a regular file, or is far too large
    """
    state: dict[str, Any] = {"path": path, "existed": False, "folders": _missing_folders(path)}
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return state
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
        raise EnvironmentFailure(
            f"`{path}` is not a plain file of at most {_LARGEST >> 20} MiB",
            "make it one, or name another file",
        )
    with open(path, "rb") as file:
        content = file.read()
    return state | {
        "existed": True,
        "content": base64.b64encode(content).decode(),
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }


def restore(state: State) -> bool:
    """Restore a file from its snapshot; return whether it was different."""
    path = state["path"]
    with contextlib.suppress(OSError):
        os.unlink(_beside(path))
    if state["existed"]:
        content = base64.b64decode(state["content"])
        changed = read(path) != content
        write(path, content, state["mode"], (state["uid"], state["gid"]))
        return changed
    changed = os.path.lexists(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    for folder in reversed(state["folders"]):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return changed


def write(path: str, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Replace a file atomically: readers, and a machine after a power cut, see the old or the new file."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    # Always the same name: what a killed run left is replaced by the next.
    beside = _beside(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(beside, path)
    sync_folder(folder)


def read(path: str) -> bytes | None:
    """The content of a file; None if it does not exist."""
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST + 1)
    except OSError:
        return None


def digest(content: bytes | None) -> str:
    return hashlib.sha256(content or b"").hexdigest()


def _beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.sandboxd-new")


def _missing_folders(path: str) -> list[str]:
    """The folders above `path` that `write` would have to make, the outermost first."""
    missing = []
    folder = os.path.dirname(path)
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing[::-1]


class FileStep:
    """The step that writes a file whose content is known in advance."""

    def __init__(self, id: str, title: str, path: str, content: bytes, mode: int = 0o644) -> None:
        self.id = id
        self.title = title
        self._path = path
        self._content = content
        self._mode = mode

    def shows(self) -> tuple[str, ...]:
        return (f"write {self._path}",)

    def is_done(self) -> bool:
        return read(self._path) == self._content

    def before(self) -> State:
        return snapshot(self._path)

    def do(self, _say: Say) -> State:
        write(self._path, self._content, self._mode)
        return {}

    def undo(self, state: State, _say: Say) -> None:
        restore(state)
