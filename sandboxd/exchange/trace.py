"""The status of the files that an exchange depends on: shows whether anything changed since the last one, and where
to watch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.exchange import own_refs, ref_names
from sandboxd.plan import beneath

if TYPE_CHECKING:
    from sandboxd.exchange.place import Place, Repository

_FILES = ("HEAD", "index", "packed-refs")
_LOGS = ("logs/HEAD", "logs/refs/stash")
_MOST_FOLDERS = 500

Trace = frozenset[tuple[str, int, int, int]]
"""(path, modification time in nanoseconds, size in bytes, inode) of each file; of a file that only shows that a git
operation is under way, the path and zeros."""


def trace(repository: Repository, place: Place) -> Trace:
    """The status of the files that an exchange reads on both sides; differs whenever a ref, HEAD or index was
    written.
    """
    return frozenset((*_of_side(repository.own, repository.common), *_of_side(place.inside)))


def _of_side(own: str, common: str = "") -> Iterator[tuple[str, int, int, int]]:
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(own) as root:
        for name in (*_FILES, *_LOGS):
            yield from _status(root, own, name)
        for name, _ in own_refs.OPERATIONS:
            yield from ((path, 0, 0, 0) for path, *_ in _status(root, own, name))
        if common and common != own:
            # HEAD of a linked work tree, where it is no file.
            for path, status in own_refs.files_below(root, "reftable"):
                yield _of(f"{own}/{path}", status)
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(common or own) as root:
        yield from _status(root, common, "packed-refs")
        for top in ("refs", "reftable"):
            for path, status in own_refs.files_below(root, top):
                if not path.startswith(ref_names.ROOT):
                    yield _of(f"{common or own}/{path}", status)


def _status(root: int, folder: str, name: str) -> Iterator[tuple[str, int, int, int]]:
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.parent_of(root, name, create=False) as parent,
    ):
        yield _of(f"{folder}/{name}", os.lstat(os.path.basename(name), dir_fd=parent))


def _of(path: str, status: os.stat_result) -> tuple[str, int, int, int]:
    return path, status.st_mtime_ns, status.st_size, status.st_ino


def folders(repository: Repository, place: Place) -> frozenset[str]:
    """The folders in which a change of either side shows; of each top folder at most a few hundred."""
    both = {repository.own, repository.common, place.inside}
    for top in (repository.common, repository.own, place.inside):
        both.update(_below(top, "refs"), _below(top, "reftable"))
    return frozenset(both)


def _below(folder: str, top: str) -> list[str]:
    waiting = [top]
    every: list[str] = []
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        while waiting and len(every) < _MOST_FOLDERS:
            path = waiting.pop()
            with (
                contextlib.suppress(OSError, SandboxdError),
                beneath.parent_of(root, f"{path}/x", create=False) as parent,
                os.scandir(parent) as entries,
            ):
                every.append(f"{folder}/{path}")
                waiting += [
                    f"{path}/{entry.name}"
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False) and entry.name != "sandboxd"
                ]
    return every
