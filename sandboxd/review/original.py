"""Sends a workspace to another machine in chunks, and lists what was sent, to compare with later.

It is read without following links, as in `copy_in`. A path that vanished, or became another kind of file, since the
survey is left out, as a new survey would do.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.review.changes_inside import DIGEST
from sandboxd.review.copy_in import MOST_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

Fields = tuple[int, int, int, str]
"""Mode, size, modification time in nanoseconds since 1970, and content: a digest, or the target of a link."""
Listed = dict[str, Fields]
"""The fields of each path, in the format of `changes_inside.Listed`: each character of a path stands for one byte."""

PARCEL = 16 << 20
"""The largest chunk in bytes; larger files are sent in pieces of this size. A chunk is sent again if the connection
breaks.
"""
OBJECTS = ".git/objects/"
_CHANGED = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO)
"""Errors from opening a path that vanished or became another kind of file."""
_READ = 1 << 20
_BLOCK = 4096
"""The assumed block size of file systems, in bytes."""


class Entry(NamedTuple):
    """A path below the workspace, and its status when it was surveyed."""

    path: str
    status: os.stat_result


class Noted(NamedTuple):
    """A path's entry in the list; `times` are its ctime and mtime on the host."""

    path: str
    fields: Fields
    times: tuple[int, int]


class Archive(NamedTuple):
    """A chunk: a tar archive (b'' if empty) with `files` files and links. `noted` are the paths in it, and paths that
    the other machine has already.
    """

    data: bytes
    files: int
    noted: tuple[Noted, ...]


class Piece(NamedTuple):
    """A chunk: a part of a large file, beginning at `offset`."""

    offset: int
    data: bytes


class Whole(NamedTuple):
    """The end of a large file: all its pieces were sent."""

    noted: Noted


Parcel = Archive | Piece | Whole


def survey(workspace: str, is_left: Callable[[str, bool], bool]) -> list[Entry]:
    """List everything of `workspace` to be sent, each folder before its content.

    :param is_left: whether a path is left out; its second argument is whether that is a folder
    :raises UsageError: a folder cannot be read, or folders are nested too deep
    """
    entries: list[Entry] = []
    with beneath.open_folder(workspace) as root:
        _look(root, "", 0, is_left, entries)
    return entries


def _look(
    folder: int,
    path: str,
    level: int,
    is_left: Callable[[str, bool], bool],
    entries: list[Entry],
) -> None:
    if level > MOST_LEVELS:
        raise UsageError(f"`{path}` is nested too deep", "leave it out by `.gitignore`, or pack it")
    for name in sorted(os.listdir(folder)):
        own = f"{path}/{name}" if path else name
        try:
            status = os.lstat(name, dir_fd=folder)
            is_folder = stat.S_ISDIR(status.st_mode)
            # A socket or a device of the host is nothing inside.
            if not (is_folder or _is_kept(status.st_mode)) or is_left(own, is_folder):
                continue
            entries.append(Entry(own, status))
            if is_folder:
                below = _open(folder, name, os.O_DIRECTORY)
                try:
                    _look(below, own, level + 1, is_left, entries)
                finally:
                    os.close(below)
        except OSError as error:
            if error.errno not in _CHANGED:
                raise _unreadable(own, error) from None


def _is_kept(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISFIFO(mode)


def room_of(entries: Iterable[Entry]) -> int:
    """The approximate disk space that the copy needs, in bytes."""
    return sum(
        _BLOCK + -(-each.status.st_size // _BLOCK) * _BLOCK
        if stat.S_ISREG(each.status.st_mode)
        else _BLOCK
        for each in entries
    )


def key_of(path: str) -> str:
    """The key of a path in the list: one character for each of its bytes."""
    return os.fsencode(path).decode("latin-1")


Edit = Callable[[bytes], bytes]
"""Makes the content for the copy of the content of a file."""


def as_it_is(_path: str) -> Edit | None:
    """Have no file changed on its way."""
    return None


def parcels(
    workspace: str,
    entries: Sequence[Entry],
    known: Mapping[str, Sequence[object]] | None = None,
    edit_of: Callable[[str], Edit | None] = as_it_is,
) -> Iterator[Parcel]:
    """Yield the chunks to send for `entries`, in order.

    :param known: what the other machine has already; unchanged content is only listed, not sent
    :param edit_of: what changes the file at a path on its way; a larger one than a chunk is left out then
    :raises UsageError: a path cannot be read
    """
    with beneath.open_folder(workspace) as root:
        packing = _Packing(known or {}, edit_of)
        for entry in entries:
            try:
                with beneath.parent_of(root, entry.path, create=False) as folder:
                    yield from _of_entry(packing, folder, entry)
            except UsageError:
                # A folder above it became something else.
                continue
            except OSError as error:
                if error.errno not in _CHANGED:
                    raise _unreadable(entry.path, error) from None
        yield packing.flush()


def _of_entry(packing: _Packing, folder: int, entry: Entry) -> Iterator[Parcel]:
    name = os.path.basename(entry.path)
    status = os.lstat(name, dir_fd=folder)
    if not stat.S_ISREG(status.st_mode):
        link = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else ""
        if stat.S_ISDIR(status.st_mode) or _is_kept(status.st_mode):
            packing.add(entry.path, status, link)
        return
    with reading(_open(folder, name, os.O_NONBLOCK)) as file:
        status = os.fstat(file.fileno())
        edit = packing.edit_of(entry.path)
        if status.st_size > PARCEL:
            if edit is not None:
                return
            yield packing.flush()
            yield from _pieces(packing, entry.path, status, file)
            return
        data = file.read(status.st_size)
    if edit is not None:
        data = edit(data)
    if not packing.has_room(len(data)):
        yield packing.flush()
    packing.add(entry.path, status, "", data)


def _pieces(
    packing: _Packing, path: str, status: os.stat_result, file: BinaryIO
) -> Iterator[Parcel]:
    if packing.knows(path, status):
        digest = hashlib.blake2b(digest_size=DIGEST)
        while data := file.read(PARCEL):
            digest.update(data)
        if packing.has(path, status, digest.hexdigest()):
            yield Archive(b"", 0, (_noted(path, status, status.st_size, digest.hexdigest()),))
            return
        file.seek(0)
    digest, offset = hashlib.blake2b(digest_size=DIGEST), 0
    while data := file.read(min(PARCEL, status.st_size - offset)):
        digest.update(data)
        yield Piece(offset, data)
        offset += len(data)
    yield Whole(_noted(path, status, offset, digest.hexdigest()))


class _Packing:
    """An archive that grows to the size of a parcel."""

    def __init__(
        self, known: Mapping[str, Sequence[object]], edit_of: Callable[[str], Edit | None]
    ) -> None:
        self._known, self.edit_of = known, edit_of
        self._begin()

    def _begin(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w")
        self._noted: list[Noted] = []
        self._files, self._is_empty = 0, True

    def has_room(self, size: int) -> bool:
        return self._is_empty or self._buffer.tell() + size <= PARCEL

    def add(self, path: str, status: os.stat_result, link: str, data: bytes | None = None) -> None:
        content = os.fsencode(link).decode("latin-1")
        if data is not None:
            content = hashlib.blake2b(data, digest_size=DIGEST).hexdigest()
        self._noted.append(_noted(path, status, len(data or b""), content))
        if self.has(path, status, content):
            return
        info = tarfile.TarInfo(path)
        info.mode, info.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
        if stat.S_ISDIR(status.st_mode):
            # A later parcel may have more for it.
            info.mode |= stat.S_IRWXU
        if data is not None:
            info.size = len(data)
        elif stat.S_ISLNK(status.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, link
        else:
            is_folder = stat.S_ISDIR(status.st_mode)
            info.type = tarfile.DIRTYPE if is_folder else tarfile.FIFOTYPE
        self._tar.addfile(info, io.BytesIO(data) if data is not None else None)
        self._files += not stat.S_ISDIR(status.st_mode)
        self._is_empty = False

    def knows(self, path: str, status: os.stat_result) -> bool:
        """Whether the other machine may have the file's content, by its mode and size."""
        known = self._known.get(key_of(path))
        return known is not None and (known[0], known[1]) == (status.st_mode, status.st_size)

    def has(self, path: str, status: os.stat_result, content: str) -> bool:
        known = self._known.get(key_of(path))
        return known is not None and (known[0], known[3]) == (status.st_mode, content)

    def flush(self) -> Archive:
        self._tar.close()
        data = b"" if self._is_empty else self._buffer.getvalue()
        archive = Archive(data, self._files, tuple(self._noted))
        self._begin()
        return archive


def _noted(path: str, status: os.stat_result, size: int, content: str) -> Noted:
    fields = (status.st_mode, size, status.st_mtime_ns, content)
    return Noted(path, fields, (status.st_ctime_ns, status.st_mtime_ns))


def fields_of(workspace: str, entry: Entry) -> Fields | None:
    """The fields that a path would have in the list now; None if it vanished or cannot be read."""
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, entry.path, create=False) as folder,
        ):
            name = os.path.basename(entry.path)
            status = os.lstat(name, dir_fd=folder)
            if stat.S_ISLNK(status.st_mode):
                link = os.readlink(os.fsencode(name), dir_fd=folder).decode("latin-1")
                return status.st_mode, 0, status.st_mtime_ns, link
            if not stat.S_ISREG(status.st_mode):
                return status.st_mode, 0, status.st_mtime_ns, ""
            with reading(_open(folder, name, os.O_NONBLOCK)) as file:
                status, digest = os.fstat(file.fileno()), hashlib.blake2b(digest_size=DIGEST)
                while data := file.read(_READ):
                    digest.update(data)
                return status.st_mode, status.st_size, status.st_mtime_ns, digest.hexdigest()
    except (OSError, UsageError):
        return None


class Manifest:
    """The list of files that were sent to the other machine, as the host read them."""

    def __init__(self, listed: Listed, times: dict[str, tuple[int, int]], objects: set[str]):
        self.listed, self.times = listed, times
        self.objects = objects
        """Files of git's objects, which are never changed once they are there."""

    def add(self, noted: Iterable[Noted]) -> None:
        for path, fields, times in noted:
            if path.startswith(OBJECTS):
                self.objects.add(path)
            # A repository's own folder is not compared: its commits come as a bundle.
            if not path.startswith(".git/"):
                self.listed[key_of(path)], self.times[path] = fields, times

    def forget(self, key: str) -> None:
        """Remove a path from the list of the original, since it was removed in the copy.

        :param key: as `key_of` returned it
        """
        self.listed.pop(key, None)
        self.times.pop(os.fsdecode(key.encode("latin-1")), None)


def _unreadable(path: str, error: OSError) -> UsageError:
    reason = (error.strerror or str(error)).lower()
    return UsageError(
        f"`{path}` cannot be read: {reason}", "correct that, or leave it out by `.gitignore`"
    )


def _open(folder: int, name: str, flags: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
