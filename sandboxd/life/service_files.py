"""Copies of a project's files for its services, read without following a link.

A mount would be looked up by its path when the engine starts the service, while the sandbox may exchange it."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError, UsageError
from sandboxd.plan import beneath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.plan.service import ProjectFile

MOST_BYTES = 32 << 20
MOST_FILES = 2000

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def archive(workspace: str, files: Iterable[ProjectFile]) -> bytes:
    """A tar archive of `files` at their places inside the service, owned by root and readable by all; b'' for no files.

    Equal contents give equal bytes. Symbolic links within a folder are left out.

    :param workspace: the project's folder
    :raises UsageError: a file does not exist or is behind a symbolic link, or they are too large
    """
    files = tuple(files)
    if not files:
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar, beneath.open_folder(workspace) as root:
        writer = _Writer(tar)
        for file in files:
            try:
                with beneath.parent_of(root, file.path, create=False) as folder:
                    writer.add(folder, os.path.basename(file.path) or ".", file.target.strip("/"))
            except _TooLargeError:
                raise
            except (OSError, SandboxdError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise UsageError(f"`{file.path}` cannot be copied: {reason.lower()}") from None
    return buffer.getvalue()


class _TooLargeError(UsageError):
    """The files are more, or larger, than is copied; no single one of them is at fault."""


class _Writer:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._files = 0
        self._bytes = 0

    def add(self, folder: int, name: str, target: str) -> None:
        """Add what is at `name` in `folder`, with all that is below it.

        :raises OSError: it cannot be opened, or is a link
        """
        todo = [(os.open(name, _FLAGS, dir_fd=folder), target)]
        try:
            while todo:
                descriptor, path = todo.pop()
                try:
                    todo += self._add(descriptor, path)
                finally:
                    os.close(descriptor)
        finally:
            for descriptor, _ in todo:
                os.close(descriptor)

    def _add(self, descriptor: int, path: str) -> list[tuple[int, str]]:
        """Add one file or folder; returns what is in the folder, opened."""
        status = os.fstat(descriptor)
        entry = tarfile.TarInfo(path)
        self._files += 1
        if stat.S_ISREG(status.st_mode):
            self._bytes += status.st_size
            self._refuse_large()
            entry.mode = 0o755 if status.st_mode & 0o111 else 0o644
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(status.st_size)
            entry.size = len(data)
            self._tar.addfile(entry, io.BytesIO(data))
            return []
        if not stat.S_ISDIR(status.st_mode):
            return []
        self._refuse_large()
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        self._tar.addfile(entry)
        opened = []
        for name in sorted(os.listdir(descriptor), reverse=True):
            try:
                opened.append((os.open(name, _FLAGS, dir_fd=descriptor), f"{path}/{name}"))
            except OSError:
                continue  # a link, or gone meanwhile
            if len(opened) + self._files > MOST_FILES:
                for below, _ in opened:
                    os.close(below)
                self._files += len(opened)
                self._refuse_large()
        return opened

    def _refuse_large(self) -> None:
        if self._files > MOST_FILES or self._bytes > MOST_BYTES:
            raise _TooLargeError(
                f"its files are more than {MOST_FILES}, or larger than {MOST_BYTES >> 20} MiB",
                "mount fewer of the project's files in its Compose file",
            )
