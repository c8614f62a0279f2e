"""Writes a kept file back into the workspace: never over another one, and never where something would run it."""

from __future__ import annotations

import contextlib
import os
import secrets
import time

from sandboxd.errors import UsageError
from sandboxd.exchange.copying import owner_of
from sandboxd.plan import beneath
from sandboxd.review import links
from sandboxd.sync.checked import is_path
from sandboxd.sync.flows import Flow, Policy
from sandboxd.sync.renaming import rename_free
from sandboxd.sync.retention import Record
from sandboxd.sync.state import Kind
from sandboxd.sync.wire import TEMPORARY
from sandboxd.sync.writer import with_executable

_CHUNK = 1 << 20
_MOST_NAMES = 100


def restore(workspace: str, record: Record, content: str) -> str:
    """Write the file or link of `record` below `workspace`; returns its path there.

    That is the one it had; where something is by now, or the file acts on this machine, a name beside it. Such a file may
    be the sandbox's: a person looks at it first.

    :param content: the path of the file with the content
    :raises UsageError: it is a link out of the workspace, or a link is in the way
    :raises EnvironmentFailure: it cannot be written
    """
    if not is_path(record.path):
        raise UsageError("its path is none of the workspace", f"its content is in `{content}`")
    folder, _, name = record.path.rpartition("/")
    # Beside a `HEAD` or not: that one is as careful as it can be.
    rule = Policy().rule(record.path, is_folder=False, is_beside_head=True)
    names = _beside(name, record) if Flow.OUT not in rule.flow else [name, *_beside(name, record)]
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, record.path, create=True) as parent,
        ):
            temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write(root, parent, temporary, record, content)
                os.chown(temporary, *owner_of(workspace), dir_fd=parent, follow_symlinks=False)
                return f"{folder}/{_rename(parent, temporary, names)}".lstrip("/")
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise
    except OSError as error:
        raise beneath.cannot_write(record.path, error) from None


def _beside(name: str, record: Record) -> list[str]:
    """Names that say when the version ended, of which nothing is known that acts by them."""
    day = time.strftime("%Y%m%d-%H%M%S", time.localtime(record.time))
    start = f"{os.fsdecode(os.fsencode(name)[:200])}.kept-{day}"
    return [start, *(f"{start}-{number}" for number in range(2, _MOST_NAMES))]


def _write(root: int, folder: int, name: str, record: Record, content: str) -> None:
    if record.kind is Kind.LINK:
        with open(content, "rb") as file:
            target = file.read()
        if why := links.reason_against(root, record.path, target):
            raise UsageError(
                f"`{record.path}` is not restored: {why}", f"its target is in `{content}`"
            )
        os.symlink(target, name, dir_fd=folder)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o666, dir_fd=folder)
    with open(descriptor, "wb") as writer, open(content, "rb") as reader:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
        writer.flush()
        os.fchmod(
            descriptor, with_executable(os.fstat(descriptor).st_mode & 0o777, record.executable)
        )
        os.fsync(descriptor)


def _rename(folder: int, temporary: str, names: list[str]) -> str:
    """Rename to the first of `names` that is free.

    :raises FileExistsError: none is
    """
    for name in names:
        try:
            rename_free(folder, temporary, name)
        except FileExistsError:
            continue
        return name
    raise FileExistsError(17, "every name is taken")
