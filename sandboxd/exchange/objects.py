"""Brings objects from a sandbox's own git directory to the host's: a pack that git inside wrote, checked by git here.

The pack goes into an object folder of ours that reads the host's besides. Every object is checked and everything
that the new ones refer to must be there; only then are they put beside the host's. A sandbox can send anything.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Protocol

from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange import copying, host_git, ref_names
from sandboxd.files import reading
from sandboxd.plan import beneath, quiet_git

if TYPE_CHECKING:
    from sandboxd.exchange.copying import Owner
    from sandboxd.exchange.host_git import HostGit

LARGEST = 2 << 30
"""Bytes of a pack that a sandbox may send."""
_UNPACK = 100
"""Packs of so many objects become loose ones, as in git: a pack for each commit would make git slow."""
_MOST_TRIES = 20
_TRY_SECONDS = 10.0
"""Seconds after which no other try begins: a sandbox must not hold up the next command."""
_PACK = re.compile(r"pack-[0-9a-f]{40,64}\.(pack|rev|idx)\Z")
_FOLDER = re.compile(r"[0-9a-f]{2}\Z")
_LOOSE = re.compile(r"[0-9a-f]{38,62}\Z")


class Transfer(Protocol):
    """Makes git in the sandbox write a pack of objects."""

    def __call__(self, wanted: Sequence[str], have: Sequence[str], target: IO[bytes]) -> None:
        """Write a pack with the commits `wanted` and all that they refer to into `target`, without what `have` refers
        to.

        :param wanted: full object ids
        :param have: full object ids of what the host has already
        :raises TransferFailed: no whole pack was written
        """


class TransferFailed(EnvironmentFailure):
    """Git in the sandbox did not write the pack that was asked for."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"git in the sandbox does not give its commits: {why}",
            "look at it there: `sandboxd exec git fsck`",
        )


class Refused(EnvironmentFailure):
    """The objects that a sandbox sent are malformed, or refer to objects that are missing."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"commits of the sandbox are not sound, and stay there: {why}",
            "look at it there: `sandboxd exec git fsck`",
        )


def missing(host: HostGit, ids: Iterable[str]) -> frozenset[str]:
    """The ids of which the host's repository has no object."""
    return frozenset(oid for oid, kind in _kinds(host, ids) if not kind)


def unfinished(host: HostGit, ids: Iterable[str]) -> frozenset[str]:
    """The ids whose object is on the host, but not all objects that it refers to.

    A process that was killed while it stored objects leaves such ones, and so does `git gc`, which may keep a commit
    and remove its older tree. What a ref of the host reaches is always complete.
    """
    wanted = sorted(set(ids))
    if not wanted or _is_whole(host, wanted):
        return frozenset()
    alone = {oid for oid in wanted[:_MOST_TRIES] if _is_whole(host, [oid])}
    return frozenset(wanted) - alone


def _is_whole(host: HostGit, tips: Sequence[str]) -> bool:
    text = "".join(f"{oid}\n" for oid in tips) + "--not\n--all\n"
    listing = ("rev-list", "--objects", "--quiet", "--missing=allow-promisor", "--stdin")
    return host.attempt(*listing, data=text.encode())[0] == 0


def commits(host: HostGit, ids: Iterable[str]) -> frozenset[str]:
    """The ids that are commits in the host's repository."""
    return frozenset(oid for oid, kind in _kinds(host, ids) if kind == "commit")


def _kinds(host: HostGit, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    wanted = sorted(set(ids))
    if not wanted:
        return
    text = "".join(f"{oid}\n" for oid in wanted).encode()
    lines = host.run("cat-file", "--batch-check=%(objecttype)", data=text).decode().splitlines()
    for oid, line in zip(wanted, lines, strict=True):
        yield oid, "" if line.endswith("missing") else line


def bring(
    host: HostGit, transfer: Transfer, wanted: Sequence[str], have: Sequence[str]
) -> dict[str, EnvironmentFailure]:
    """Fetch the objects `wanted` and all that they refer to; returns those that could not be fetched, each with the
    reason.

    A broken one does not keep the others from being fetched.

    :param have: ids that the host has, so that they are not sent
    :raises CannotRun: the host's git or disk fails
    """
    if not wanted:
        return {}
    end = time.monotonic() + _TRY_SECONDS
    try:
        _bring(host, transfer, wanted, have)
    except (TransferFailed, Refused) as error:
        if len(wanted) == 1:
            return {wanted[0]: error}
        problems: dict[str, EnvironmentFailure] = dict.fromkeys(wanted, error)
        for oid in wanted[:_MOST_TRIES]:
            if time.monotonic() > end:
                break
            del problems[oid]
            problems |= bring(host, transfer, [oid], have)
        return problems
    return {}


def _bring(host: HostGit, transfer: Transfer, wanted: Sequence[str], have: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="new-", dir=host.folder) as folder:
        path = os.path.join(folder, "sent")
        with open(path, "xb") as file:
            transfer(wanted, have, file)
            if file.tell() > LARGEST:
                raise Refused(f"they are larger than {LARGEST >> 20} MiB")
        count = _count(path)
        # The folders of objects alone are the owner's: root writes and names nothing in what is.
        os.chmod(folder, 0o711)  # noqa: S103 - git passes through as the owner
        checked = _checked(host, folder, path, wanted)
        if count <= _UNPACK:
            checked = _unpacked(host, folder, checked)
        put(host, checked)


def _count(path: str) -> int:
    with open(path, "rb") as file:
        head = file.read(12)
    if len(head) < 12 or head[:4] != b"PACK":
        raise Refused("what it sent is no pack")
    return int.from_bytes(head[8:], "big")


def _checked(host: HostGit, folder: str, path: str, wanted: Sequence[str]) -> str:
    """An object folder with the sound objects of the pack at `path`.

    :raises Refused: it is not sound, or not whole
    """
    objects = os.path.join(folder, "objects")
    environ = object_folder(host, objects)
    strict = "--strict=" + ",".join(f"{name}=error" for name in quiet_git.FSCK_ERRORS)
    with open(path, "rb") as file:
        words = ("index-pack", "--stdin", "--fix-thin", "--fsck-objects", strict)
        most = host_git.MOST_WRITTEN
        _require(host.attempt(*words, data=file, environ=environ, most=most))
    tips = "".join(f"{oid}\n" for oid in wanted)
    text = f"{tips}--not\n--all\n".encode()
    listing = ("rev-list", "--objects", "--quiet", "--stdin")
    _require(host.attempt(*listing, data=text, environ=environ))
    return objects


def _unpacked(host: HostGit, folder: str, checked: str) -> str:
    objects = os.path.join(folder, "loose")
    environ = object_folder(host, objects)
    packs = os.path.join(checked, "pack")
    for name in os.listdir(packs):
        if name.endswith(".pack"):
            with open(_open(os.path.join(packs, name)), "rb") as file:
                _require(host.attempt("unpack-objects", "-q", data=file, environ=environ))
    return objects


def object_folder(host: HostGit, path: str) -> dict[str, str]:
    """Make `path` a git object folder; returns the variables with which git writes there and also reads the host's
    objects.
    """
    for name in (path, os.path.join(path, "pack")):
        os.mkdir(name)
        host.give(name)
    others = os.path.join(host.repository.common, "objects")
    return {"GIT_OBJECT_DIRECTORY": path, **quiet_git.alternate(others)}


def _require(result: tuple[int, bytes, bytes]) -> None:
    code, _, errors = result
    if code:
        text = " ".join(errors.decode("utf-8", "replace").split())[-300:]
        raise Refused(text or f"git ends with exit code {code}")


def put(host: HostGit, source: str) -> None:
    """Copy the objects in the folder `source` into the host's repository, and wait until they are on the disk.

    Of a pack the index comes last, since git sees the pack by it. Refs to the objects may be written afterwards.

    :raises CannotRun: they cannot be written
    """
    owner = copying.owner_of(host.repository.workspace)
    paths = sorted(_files(source), key=lambda path: (os.path.dirname(path), path.endswith(".idx")))
    try:
        with beneath.open_folder(host.repository.common) as root:
            for top, files in itertools.groupby(paths, os.path.dirname):
                with copying.open_parent(root, f"objects/{top}/.", owner) as folder:
                    for path in files:
                        _put_file(os.path.join(source, path), folder, os.path.basename(path), owner)
                    os.fsync(folder)
    except OSError as error:
        raise host_git.CannotRun((error.strerror or str(error)).lower()) from None


def _open(path: str) -> int:
    """A descriptor of a file that git wrote as the owner of the workspace, who may have put a link there."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _files(source: str) -> Collection[str]:
    paths = [f"pack/{n}" for n in os.listdir(os.path.join(source, "pack")) if _PACK.match(n)]
    for folder in os.listdir(source):
        if _FOLDER.match(folder):
            names = os.listdir(os.path.join(source, folder))
            paths += [f"{folder}/{name}" for name in names if _LOOSE.match(name)]
    return paths


def _put_file(source: str, folder: int, name: str, owner: Owner) -> None:
    """Copy a file under another name first: git must not see a part of an object."""
    temporary = f"tmp_obj_{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o444, dir_fd=folder)
    try:
        with open(descriptor, "wb") as target, reading(_open(source)) as file:
            shutil.copyfileobj(file, target)
            if owner.uid != -1:
                os.fchown(target.fileno(), owner.uid, owner.gid)
            target.flush()
            os.fsync(target.fileno())
        # Its name is its content: one that is there already is the same.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        os.unlink(temporary, dir_fd=folder)


def bounds(ids: Iterable[str], most: int) -> list[str]:
    """At most `most` of `ids`, without duplicates and in their order: the sandbox is told that the host has these."""
    return [oid for oid in dict.fromkeys(ids) if ref_names.is_oid(oid)][:most]
