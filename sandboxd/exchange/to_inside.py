"""Moves refs, HEAD and index of a sandbox's own git directory to what the host has: as files, no git runs.

The directory is hostile: no step follows a link. Git's own lock files are used, so that git inside waits, and each
value is compared while its lock is held.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange import copying, index_file, own_refs, packed_refs, ref_logs, ref_names
from sandboxd.exchange.difference import Checkout, Held, Move, Reason
from sandboxd.exchange.to_host import Done
from sandboxd.plan import beneath

if TYPE_CHECKING:
    from sandboxd.exchange.copying import Owner
    from sandboxd.exchange.state import Side

_MESSAGE = "sandboxd: as on the host"
_MOST_EMPTY = 200
_PACKED = packed_refs.NAME


class Target(NamedTuple):
    """The git directory that is written: its descriptor, its path, the owner for new files, and whether ids are
    SHA-256.

    `largest_index` and `most_packed` are the size limits in bytes of its index and its packed refs.
    """

    root: int
    folder: str
    owner: Owner
    sha256: bool
    largest_index: int
    most_packed: int

    @property
    def zero(self) -> str:
        """The all-zero object id, which stands for no object."""
        return ref_logs.zero(self.sha256)


class _InTheWay(Exception):
    """Something inside moved, is locked, or is no file."""


def apply(
    target: Target,
    theirs: Side,
    moves: Sequence[Move],
    checkout: Checkout | None,
    index: index_file.Index | None,
) -> Done:
    """Move the sandbox's refs, and HEAD and index together with the checked-out branch.

    :param theirs: the state of the sandbox that the moves were computed from
    :param checkout: the change of HEAD and index; None where they stay
    :param index: the index of the host, which the sandbox gets; None where there is none
    """
    branches = {theirs.head.branch, checkout.new.branch} if checkout is not None else set()
    coupled = [move for move in moves if move.name in branches]
    rest = [move for move in moves if move.name not in branches]
    # A branch `a` that went makes room for `a/b`.
    done, failed = _move_each(target, sorted(rest, key=lambda move: bool(move.new)))
    if checkout is None:
        return Done(tuple(done), failed=tuple(failed))
    try:
        _check_out(target, theirs, coupled, checkout, index)
    except (_InTheWay, OSError, SandboxdError):
        what = coupled or [Move("HEAD", checkout.old_commit, checkout.new_commit)]
        failed += [Held(move.name, move.new, Reason.INSIDE_BUSY) for move in what]
        return Done(tuple(done), failed=tuple(failed))
    return Done((*done, *coupled), True, failed=tuple(failed))


def _move_each(target: Target, moves: Sequence[Move]) -> tuple[list[Move], list[Held]]:
    done: list[Move] = []
    failed: list[Held] = []
    packed = _Packed(target)
    for move in moves:
        try:
            _move(target, packed, move)
            done.append(move)
        except (_InTheWay, OSError, SandboxdError):
            failed.append(Held(move.name, move.new, Reason.NOT_WRITTEN))
    return done, failed


def _check_out(
    target: Target,
    theirs: Side,
    moves: Sequence[Move],
    checkout: Checkout,
    index: index_file.Index | None,
) -> None:
    with contextlib.ExitStack() as stack:
        index_lock = stack.enter_context(_lock(target, "index"))
        head_lock = stack.enter_context(_lock(target, "HEAD"))
        is_as_before = (
            own_refs.read_head(target.folder) == checkout.old
            and index_file.digest_in(target.folder, target.sha256, target.largest_index)
            == theirs.staged
            and own_refs.operation(target.folder, locks=False) is None
        )
        if not is_as_before:
            raise _InTheWay
        packed = _Packed(target)
        for move in moves:
            _move(target, packed, move)
        if checkout.new != checkout.old:
            head_lock.commit(_head_line(checkout))
        if checkout.new_commit != checkout.old_commit or checkout.new != checkout.old:
            old, new = (i or target.zero for i in (checkout.old_commit, checkout.new_commit))
            _log(target, "logs/HEAD", old, new)
        if index is not None:
            # With the time of the host's: by it git knows which files may have changed since.
            index_lock.commit(index_file.portable(index, target.sha256), index.times)


def _head_line(checkout: Checkout) -> bytes:
    return os.fsencode(f"{checkout.new.commit or f'ref: {checkout.new.branch}'}\n")


def _move(target: Target, packed: _Packed, move: Move) -> None:
    """Give a ref its new value, if it still has its old one.

    :raises _InTheWay: it has not
    """
    with _lock(target, move.name) as lock:
        text = own_refs.read_small(target.root, move.name, 4096)
        now = text.strip() if text is not None else packed.ids.get(move.name, "")
        if now != move.old:
            raise _InTheWay
        if move.new:
            _make_room(target, move.name)
            _log(target, f"logs/{move.name}", move.old or target.zero, move.new)
            lock.commit(f"{move.new}\n".encode())
            return
        packed.remove(move.name)
        for path in (move.name, f"logs/{move.name}"):
            with (
                contextlib.suppress(FileNotFoundError),
                beneath.parent_of(target.root, path, create=False) as folder,
            ):
                os.unlink(os.path.basename(path), dir_fd=folder)


def _make_room(target: Target, name: str) -> None:
    """Remove empty folders at the path of a ref and of its log: of refs that were below it."""
    for path in (name, f"logs/{name}"):
        for _ in range(_MOST_EMPTY):
            if not _remove_deepest(target.root, path):
                break


def _remove_deepest(root: int, path: str) -> bool:
    """Remove one empty folder at or below `path`; False where there is none."""
    while True:
        try:
            with beneath.parent_of(root, f"{path}/x", create=False) as folder:
                names = os.listdir(folder)
        except (OSError, SandboxdError):
            return False
        if len(names) > 1:
            return False
        if not names:
            break
        path = f"{path}/{names[0]}"
    with beneath.parent_of(root, path, create=False) as folder:
        try:
            os.rmdir(os.path.basename(path), dir_fd=folder)
        except OSError:
            return False
    return True


def _log(target: Target, path: str, old: str, new: str) -> None:
    """Note a move in a log, for `git reflog` inside; where it cannot be, it is not."""
    if path.startswith(f"logs/{ref_names.TAGS}"):
        return
    with contextlib.suppress(OSError, SandboxdError):
        ref_logs.append(target.root, path, old, new, _MESSAGE, target.owner)


class _Packed:
    """The packed refs of the target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        lines = packed_refs.read_lines(target.root, target.most_packed)
        pairs = (line.partition(" ") for line in lines)
        self.ids = {name: oid for oid, _, name in pairs if ref_names.is_oid(oid)}

    def remove(self, name: str) -> None:
        """Take a ref out of the file, if it is in it.

        :raises _InTheWay: somebody else writes it
        """
        if name not in self.ids:
            return
        lines: list[str] = []
        is_peeled = False
        with _lock(self._target, _PACKED) as lock:
            for line in packed_refs.read_lines(self._target.root, self._target.most_packed):
                is_peeled = is_peeled and line.startswith("^")
                if line.partition(" ")[2] == name and not line.startswith("#"):
                    is_peeled = True
                elif not is_peeled:
                    lines.append(line)
            lock.commit(os.fsencode("\n".join(lines)))
        self.ids.pop(name)


class _Lock(NamedTuple):
    descriptor: int
    folder: int
    name: str

    def commit(self, content: bytes, times: tuple[int, int] | None = None) -> None:
        """Put `content` in the place of the file; `times` are those of its last access and change, in ns."""
        with os.fdopen(os.dup(self.descriptor), "wb") as file:
            file.write(content)
            file.flush()
            if times is not None:
                os.utime(self.descriptor, ns=times)
        os.rename(f"{self.name}.lock", self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)


@contextlib.contextmanager
def _lock(target: Target, path: str) -> Iterator[_Lock]:
    """Git's own lock on the file `path` of the target; one that is there is never removed.

    :raises _InTheWay: somebody else holds it, or something else has its name
    """
    name = os.path.basename(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with copying.open_parent(target.root, path, target.owner) as folder:
        try:
            descriptor = os.open(f"{name}.lock", flags, 0o666, dir_fd=folder)
        except FileExistsError:
            raise _InTheWay from None
        try:
            if target.owner.uid != -1:
                os.fchown(descriptor, target.owner.uid, target.owner.gid)
            yield _Lock(descriptor, folder, name)
        finally:
            _remove_ours(folder, f"{name}.lock", os.fstat(descriptor))
            os.close(descriptor)


def _remove_ours(folder: int, name: str, ours: os.stat_result) -> None:
    """Remove the lock file `name` if it is still the one that was made here."""
    with contextlib.suppress(OSError):
        now = os.lstat(name, dir_fd=folder)
        if stat.S_ISREG(now.st_mode) and (now.st_dev, now.st_ino) == (ours.st_dev, ours.st_ino):
            os.unlink(name, dir_fd=folder)
