"""A copy of the workspace for each sandbox that is measured: the real one is never written to."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.files import reading

_PIECE = 1 << 20
# Half a minute of copying; what is larger is measured with a limit that the user says.
MOST_BYTES = 512 << 20
MOST_FILES = 50_000


class Copied(NamedTuple):
    """The size of a copy: number of files, and their bytes. Links are copied as links, sockets and devices not at
    all.
    """

    files: int
    bytes: int


def copy(source: str, target: str, most_bytes: int = MOST_BYTES) -> Copied:
    """Copy the folder `source` to `target`, which must not exist yet; owners and modes are kept.

    :raises UsageError: it is larger than `most_bytes`, or has too many files
    :raises EnvironmentFailure: it cannot be read, or the disk is full
    """
    files = size = 0
    links: list[tuple[str, str, os.stat_result]] = []
    try:
        # By descriptors, since a program in a running sandbox may replace a folder by a link meanwhile.
        for base, folders, names, opened in os.fwalk(source, follow_symlinks=False):
            inside = os.path.normpath(os.path.join(target, os.path.relpath(base, source)))
            os.makedirs(inside, 0o700, exist_ok=True)
            for name in [*folders, *names]:
                copy_path = os.path.join(inside, name)
                status = os.stat(name, dir_fd=opened, follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    links.append((copy_path, os.readlink(name, dir_fd=opened), status))
                    if len(links) > MOST_FILES:
                        raise _too_large(source, most_bytes)
                elif stat.S_ISREG(status.st_mode):
                    files, size = files + 1, size + status.st_size
                    if size > most_bytes or files > MOST_FILES:
                        raise _too_large(source, most_bytes)
                    _copy_file(opened, name, copy_path, status)
            status = os.fstat(opened)
            _own(inside, status)
            os.chmod(inside, stat.S_IMODE(status.st_mode) | 0o700)
        _make_links(links)
    except (OSError, RecursionError) as error:
        raise EnvironmentFailure(
            f"the workspace cannot be copied: {error}",
            "measure as a user who can read all of it, on a disk with room for three copies",
        ) from None
    return Copied(files, size)


def _make_links(links: list[tuple[str, str, os.stat_result]]) -> None:
    """Make the links, last of all: a copy into a folder that is a link would write outside of the copy."""
    for path, text, status in links:
        if not os.path.lexists(path):
            os.symlink(text, path)
            _own(path, status)


def remove(folder: str) -> None:
    """Remove a copy, whatever the sandbox left in it; what cannot be removed stays, without an error."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _copy_file(folder: int, name: str, copy_path: str, status: os.stat_result) -> None:
    """A link in the place of the file that was looked at is not followed."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with (
        reading(os.open(name, flags, dir_fd=folder)) as source,
        open(os.open(copy_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target,
    ):
        remaining = status.st_size
        while remaining > 0 and (piece := source.read(min(remaining, _PIECE))):
            target.write(piece)
            remaining -= len(piece)
        os.fchmod(target.fileno(), stat.S_IMODE(status.st_mode) & 0o777)
    _own(copy_path, status)


def _own(path: str, status: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)


def _too_large(source: str, most_bytes: int) -> UsageError:
    return UsageError(
        f"`{source}` has more than {most_bytes >> 20} MiB or {MOST_FILES} files, and each sandbox "
        "that is measured gets a copy",
        "measure in a smaller folder, or allow more: `sandboxd bench --copy-limit 4g`",
    )
