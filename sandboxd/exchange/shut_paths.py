"""The record of what was read-only in a sandbox's workspace when it last ran, for commits that are taken after its
end.

It is a private file that no sandbox sees.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from sandboxd.errors import SandboxdError
from sandboxd.files import read_bytes, write_private

_LARGEST = 4 << 20
_ALL = frozenset({""})


def read(path: str) -> frozenset[str]:
    """The recorded paths, relative to the workspace; {''}, the whole workspace, where there is no record."""
    try:
        data = read_bytes(path, _LARGEST)
    except (SandboxdError, OSError):
        return _ALL
    return frozenset(os.fsdecode(name) for name in data.split(b"\0")[:-1])


def write(path: str, shut: Collection[str]) -> None:
    """Record the paths, relative to the workspace, that are read-only; '' stands for the whole workspace.

    :raises EnvironmentFailure: it cannot be written
    """
    if read(path) != frozenset(shut) or not os.path.exists(path):
        data = b"".join(os.fsencode(name) + b"\0" for name in sorted(shut))
        write_private(path, data, synced=False)
