"""Makes a sandbox's own git directory from the host's repository by copying files; no git runs.

Refs, HEAD and index are copied as they are, and reflogs without logins, so work goes on inside where it stands on the
host. Objects are not: git inside reads the host's, which are mounted read-only. The config is made anew
(`exchange.config`), and nothing that git would run, such as a hook, is copied.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.exchange import config, copying, ref_names, reftable
from sandboxd.exchange.copying import Owner
from sandboxd.exchange.place import Place, Repository
from sandboxd.file_lock import LockTimeout, locked
from sandboxd.plan import beneath
from sandboxd.syntax import git_config

ALTERNATES = "objects/info/alternates"
_REF = 4096
_PACKED_REFS = 256 << 20
_INDEX = 2 << 30
_LOG, _LOGS = 64 << 20, 512 << 20
_SMALL = 16 << 20
_LOGIN = re.compile(rb"://[^\s/]*@")
_MOST_ENTRIES = 200_000
_MOST_SHARED_INDEXES = 8
_LOCK_SECONDS = 60.0
_LEFT_OUT = (ref_names.ROOT, "refs/bisect/", "refs/rewritten/", "refs/worktree/")
"""Ours, and those of a bisect or rebase on the host, which goes on there."""
_FOLDERS = ("refs/heads", "refs/tags", "objects/info", "objects/pack", "info")


class Seed(NamedTuple):
    """The parameters of a new git directory.

    `objects` are the paths inside of the host's object folders; `of_user` are (name, value) of the user's own
    settings for the config; `worktree` is `core.worktree` of a submodule, '' for none.
    """

    objects: Sequence[str]
    of_user: Iterable[tuple[str, str]] = ()
    worktree: str = ""


def seed(repository: Repository, place: Place, wanted: Seed) -> bool:
    """Make `place.inside` from the host's repository. An existing one is kept, since there may be work in it.

    :returns: whether it was made by this call
    :raises EnvironmentFailure: it cannot be written, or the repository cannot be read
    """
    with _writing(place.folder):
        if _is_current(place.inside, wanted.objects):
            # Without the lock, which an exchange may hold for long.
            return False
        os.makedirs(place.folder, mode=0o700, exist_ok=True)
        os.makedirs(place.empty, mode=0o755, exist_ok=True)
        with locked(place.lock, seconds=_LOCK_SECONDS):
            if os.path.lexists(place.inside):
                _name_objects(place.inside, wanted.objects, copying.owner_of(repository.workspace))
                return False
            with _whole(repository, f"{place.inside}.new", wanted):
                os.rename(f"{place.inside}.new", place.inside)
            return True


def seed_module(repository: Repository, place: Place, path: str, wanted: Seed) -> bool:
    """Make the git directory of a submodule in `place.inside`, which must exist. An existing one is kept.

    :param path: the path of the directory in `place.inside`, such as ``modules/lib``
    :returns: whether it was made by this call
    :raises EnvironmentFailure: it cannot be written, or the repository cannot be read
    """
    owner = copying.owner_of(repository.workspace)
    name = os.path.basename(path)
    if _is_current(os.path.join(place.inside, path), wanted.objects):
        return False
    with (
        _writing(place.folder),
        locked(place.lock, seconds=_LOCK_SECONDS),
        _opened(place.inside) as inside,
    ):
        with copying.open_parent(inside, path, owner) as folder:
            if _exists(folder, name):
                copying.write_file(folder, f"{name}/{ALTERNATES}", _lines(wanted.objects), owner)
                return False
            with _whole(repository, f"{place.inside}.new", wanted):
                os.rename(f"{place.inside}.new", name, dst_dir_fd=folder)
        return True


@contextlib.contextmanager
def _writing(folder: str) -> Iterator[None]:
    """:raises EnvironmentFailure: the block cannot write below `folder`"""
    try:
        yield
    except LockTimeout:
        raise EnvironmentFailure(
            "an exchange of commits with this sandbox is under way, and does not end",
            "run the command again",
        ) from None
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write `{folder}`: {(error.strerror or str(error)).lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None
    except UsageError as error:
        raise EnvironmentFailure(
            f"the git directory inside is not as it was made: {error.message}",
            f"bring what is in it by git inside, then remove `{folder}`",
        ) from None


def copy_index(repository: Repository, git_folder: str, owner: Owner) -> bool:
    """Replace the index in the git directory `git_folder` by the host's; False where the host has none.

    :raises OSError: it cannot be written
    :raises UsageError: `git_folder` is no folder
    """
    with beneath.open_folder(repository.own) as own, beneath.open_folder(git_folder) as target:
        return _copy_index(own, target, owner)


@contextlib.contextmanager
def _whole(repository: Repository, folder: str, wanted: Seed) -> Iterator[None]:
    """Make the git directory under the name `folder`, so that a part is never taken for it, for the block to rename."""
    copying.remove_tree(folder)
    os.mkdir(folder, 0o755)
    owner = copying.owner_of(repository.workspace)
    try:
        with (
            beneath.open_folder(folder) as target,
            beneath.open_folder(repository.common) as common,
            beneath.open_folder(repository.own) as own,
        ):
            if owner.uid != -1:
                os.fchown(target, owner.uid, owner.gid)
            _fill(repository, common, own, target, wanted, owner)
        yield
    except BaseException:
        copying.remove_tree(folder)
        raise


def _fill(
    repository: Repository, common: int, own: int, target: int, wanted: Seed, owner: Owner
) -> None:
    for path in _FOLDERS:
        copying.make_folder(target, path, owner)
    entries = read_config(repository)
    text = config.for_inside(entries, wanted.worktree, wanted.of_user)
    copying.write_file(target, "config", text.encode("utf-8", "surrogateescape"), owner)
    # Refs before the index: a commit on the host moves its branch last.
    if reftable.is_used(entries):
        reftable.copy(repository, target, owner)
    else:
        _copy_refs(common, own, target, owner)
    _copy_logs(common, own, target, owner)
    _copy_index(own, target, owner)
    copying.copy_file(common, target, "shallow", _SMALL, owner)
    copying.copy_file(common, target, "info/exclude", _SMALL, owner)
    copying.copy_file(common, target, "info/attributes", _SMALL, owner)
    copying.copy_file(own, target, "info/sparse-checkout", _SMALL, owner)
    write_alternates(target, wanted.objects, owner)


def read_config(repository: Repository) -> list[git_config.Entry]:
    """The settings in the repository's own config, in git's order; included files are not read."""
    entries = _entries(repository.common, "config")
    if any(e.name == "extensions.worktreeconfig" and is_true(e.value) for e in entries):
        entries += _entries(repository.own, "config.worktree")
    return entries


def _entries(folder: str, name: str) -> list[git_config.Entry]:
    text: str | None = None
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        text = beneath.read_text(root, name)
    return list(git_config.parse(text or "").entries)


def is_true(value: str | None) -> bool:
    """Whether git reads the value of a boolean setting as true.

    :param value: None for a key that stands without `=`
    """
    return value is None or value.lower() in ("true", "yes", "on", "1")


def _copy_refs(common: int, own: int, target: int, owner: Owner) -> None:
    """Copy loose refs before packed ones: git packs a ref, then removes the loose one.

    :raises EnvironmentFailure: the HEAD or the packed refs are too large to be any
    """
    if not copying.copy_file(own, target, "HEAD", _REF, owner):
        raise _unreadable("HEAD")
    copying.copy_tree(
        common,
        target,
        "refs",
        owner,
        largest=_REF,
        in_all=_PACKED_REFS,
        most=_MOST_ENTRIES,
        wanted=lambda path: not path.startswith(_LEFT_OUT) and not path.endswith(".lock"),
    )
    if not copying.copy_file(common, target, "packed-refs", _PACKED_REFS, owner) and _exists(
        common, "packed-refs"
    ):
        raise _unreadable("packed-refs")


def _copy_logs(common: int, own: int, target: int, owner: Owner) -> None:
    copying.copy_file(own, target, "logs/HEAD", _LOG, owner, _without_logins)
    copying.copy_tree(
        common,
        target,
        "logs/refs",
        owner,
        largest=_LOG,
        in_all=_LOGS,
        most=_MOST_ENTRIES,
        wanted=lambda path: not path.startswith(f"logs/{ref_names.ROOT}"),
        change=_without_logins,
    )


def _without_logins(line: bytes) -> bytes:
    """A line of a reflog without the logins in URLs: git notes the words of `git pull https://TOKEN@host` there."""
    return _LOGIN.sub(b"://", line)


def _copy_index(own: int, target: int, owner: Owner) -> bool:
    # Those that an index names are there before it is.
    shared = [name for name in os.listdir(own) if name.startswith("sharedindex.")]
    for name in sorted(shared)[:_MOST_SHARED_INDEXES]:
        copying.copy_file(own, target, name, _INDEX, owner)
    copied = copying.copy_file(own, target, "index", _INDEX, owner)
    if not copied and _exists(own, "index"):
        raise _unreadable("index")
    return copied


def write_alternates(target: int, objects: Sequence[str], owner: Owner) -> None:
    """Write `objects/info/alternates`, by which git inside finds the host's objects.

    :param target: the descriptor of the git directory
    :param objects: the paths inside of the host's object folders
    :raises OSError: it cannot be written
    :raises UsageError: a link is on the way
    """
    copying.write_file(target, ALTERNATES, _lines(objects), owner)


def _is_current(folder: str, objects: Sequence[str]) -> bool:
    """Whether a git directory is there and names just these folders of objects. No link below `folder` is followed."""
    with contextlib.suppress(OSError, SandboxdError), _opened(folder) as root:
        return beneath.says(root, ALTERNATES, _lines(objects))
    return False


def _lines(objects: Sequence[str]) -> bytes:
    return "".join(f"{path}\n" for path in objects).encode()


def _name_objects(inside: str, objects: Sequence[str], owner: Owner) -> None:
    with _opened(inside) as target:
        write_alternates(target, objects, owner)


@contextlib.contextmanager
def _opened(inside: str) -> Iterator[int]:
    descriptor = os.open(inside, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _exists(folder: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _unreadable(name: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"`{name}` of the repository is no regular file, or too large for one",
        "`git fsck` on the host says what is wrong with the repository",
    )
