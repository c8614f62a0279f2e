"""A workspace that is copied to another machine: as an archive, and as a list to compare with later.

Read without following a link, as all of a workspace is: `copy_in`."""

from __future__ import annotations

import hashlib
import os
import tarfile
from typing import IO, TYPE_CHECKING, NamedTuple

from sandboxd.plan import beneath
from sandboxd.review.changes_inside import DIGEST
from sandboxd.review.copy_in import Packing

if TYPE_CHECKING:
    from collections.abc import Callable

Listed = dict[str, tuple[int, int, int, str]]
"""Mode, size, time and content of each path, as `changes_inside.Listed` reads them."""


class Packed(NamedTuple):
    """An archive in `file`, which is at its beginning, and a list of its entries."""

    file: IO[bytes]
    size: int
    files: int
    listed: Listed


def pack(workspace: str, is_left: Callable[[str, bool], bool], file: IO[bytes]) -> Packed:
    """Write the archive of `workspace` into `file`, an empty one that is read and written.

    :param is_left: whether a path below the workspace, a folder or not, stays here
    :raises UsageError: it cannot be read, or it is too much
    """
    listed: Listed = {}
    count = 0
    with tarfile.open(fileobj=file, mode="w") as tar, beneath.open_folder(workspace) as root:
        packing = _Listing(tar, file, is_left, listed)
        for name in sorted(os.listdir(root)):
            count += packing.add(root, name, name, 0)
    size = file.tell()
    file.seek(0)
    return Packed(file, size, count, listed)


class _Listing(Packing):
    def __init__(
        self,
        tar: tarfile.TarFile,
        buffer: IO[bytes],
        is_left: Callable[[str, bool], bool],
        listed: Listed,
    ) -> None:
        super().__init__(tar, buffer)
        self._is_left, self._listed = is_left, listed

    def is_wanted(self, entry: str, is_folder: bool) -> bool:
        return not self._is_left(entry, is_folder)

    def put(
        self, info: tarfile.TarInfo, status: os.stat_result, file: IO[bytes] | None = None
    ) -> None:
        digesting = _Digesting(file) if file is not None else None
        super().put(info, status, digesting)  # type: ignore[arg-type]
        content = digesting.digest.hexdigest() if digesting is not None else info.linkname
        key = os.fsencode(info.name).decode("latin-1")
        if info.issym():
            content = os.fsencode(content).decode("latin-1")
        # A repository's own folder is not compared: its commits come as a bundle.
        if not key.startswith(".git/"):
            self._listed[key] = status.st_mode, info.size, status.st_mtime_ns, content


class _Digesting:
    """A file whose content is digested while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.blake2b(digest_size=DIGEST)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data
