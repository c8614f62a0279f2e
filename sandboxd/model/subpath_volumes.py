"""Names of the volumes that stand for a workspace in generated files, so that parts of it can be mounted."""

from __future__ import annotations

import hashlib

_READ_ONLY = "sandboxd-pin-"
_WRITABLE = "sandboxd-pin-rw-"


def volume_name(key: str, *, writable: bool) -> str:
    """:param key: the part of the name that differs for each workspace of a machine"""
    return f"{_WRITABLE if writable else _READ_ONLY}{key}"


def key_of(workspace: str) -> str:
    """The key for a file that names the workspace by its path on this machine."""
    return hashlib.sha256(workspace.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def is_of_workspace(volume: str, workspace: str) -> bool:
    """Whether `volume` is a name with the key that `key_of` gives."""
    key = key_of(workspace)
    return volume in (volume_name(key, writable=True), volume_name(key, writable=False))
