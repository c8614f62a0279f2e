"""Reads refs, HEAD and reflogs of a git directory as files, without git.

The directory of a sandbox is hostile: no link is followed, only regular files are opened, and all sizes are bounded.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from sandboxd.errors import SandboxdError
from sandboxd.exchange import packed_refs, ref_names
from sandboxd.exchange.packed_refs import TooMany as TooMany
from sandboxd.exchange.state import Head, Operation, Refs
from sandboxd.files import reading
from sandboxd.plan import beneath

_MOST_REFS = 100_000
_MOST_ENTRIES = 50_000
_MOST_LOG = 1 << 20
_MOST_LOGS = 8 << 20
"""Bytes of all logs of a side that are read: they need no disk, since a file may have holes."""
_MOST_LOGGED = 5_000
_LONGEST_LOG_HEAD = 200
"""Bytes in which a line of a log has both ids."""
_MOST_STASHES = 200
_MOST_WORKTREES = 1_000
_LONGEST = 4096
_DEEPEST = 40
_LOCK = ".lock"

OPERATIONS = (
    ("rebase-merge", Operation.REBASE),
    ("rebase-apply", Operation.REBASE),
    ("MERGE_HEAD", Operation.MERGE),
    ("CHERRY_PICK_HEAD", Operation.CHERRY_PICK),
    ("REVERT_HEAD", Operation.REVERT),
    ("sequencer", Operation.CHERRY_PICK),
    ("BISECT_LOG", Operation.BISECT),
    ("index.lock", Operation.WRITING),
    ("HEAD.lock", Operation.WRITING),
)
"""(name, operation): the file or folder in a git directory that shows that the operation is under way."""


def read_refs(folder: str, most_packed: int = packed_refs.LARGEST) -> Refs:
    """The refs of the git directory `folder` that are exchanged, and the newest stash.

    :param most_packed: size limit of the packed refs in bytes
    :raises TooMany: it has too many refs, or its packed refs cannot be read
    :raises OSError: the folder cannot be opened
    :raises UsageError: a link is on the way to the folder
    """
    with beneath.open_folder(folder) as root:
        # Loose refs first: git packs a ref, then removes the loose one.
        loose = _read_loose(root)
        packed = packed_refs.read_lines(root, most_packed)
    return _together(loose, packed)


def _together(loose: dict[str, str], packed: list[str]) -> Refs:
    ids: dict[str, str] = {}
    broken: set[str] = set()
    refused = 0
    for line in packed:
        oid, _, name = line.partition(" ")
        if not name or not ref_names.is_oid(oid) or not _is_wanted(name):
            continue
        if ref_names.is_allowed(name):
            ids[name] = oid
        else:
            refused += 1
        if len(ids) > _MOST_REFS:
            raise TooMany(f"more than {_MOST_REFS} refs")
    for name, text in loose.items():
        if not ref_names.is_allowed(name):
            refused += not name.endswith(_LOCK)
            continue
        ids.pop(name, None)
        if ref_names.is_oid(text):
            ids[name] = text
        else:
            broken.add(name)
    return Refs(ids, frozenset(broken), refused)


def _is_wanted(name: str) -> bool:
    return name == ref_names.STASH or name.startswith(
        (ref_names.HEADS, ref_names.TAGS, ref_names.REMOTES)
    )


def _read_loose(root: int) -> dict[str, str]:
    loose: dict[str, str] = {}
    entries = 0
    for top in ("refs/heads", "refs/tags", "refs/remotes"):
        for path, _ in files_below(root, top):
            entries += 1
            if entries > _MOST_ENTRIES:
                raise TooMany(f"more than {_MOST_ENTRIES} loose refs")
            loose[path] = (read_small(root, path, _LONGEST) or "").strip()
    stash = read_small(root, ref_names.STASH, _LONGEST)
    if stash is not None:
        loose[ref_names.STASH] = stash.strip()
    return loose


def files_below(root: int, top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of everything but folders below the folder `top` of the open folder `root`, in no order.

    Paths are relative to `root`. A folder that cannot be read counts as empty.

    :raises TooMany: it has too many files or folders
    """
    folders = [top]
    looked_at = files = 0
    while folders:
        folder = folders.pop()
        looked_at += 1
        if looked_at > _MOST_ENTRIES:
            raise TooMany(f"more than {_MOST_ENTRIES} folders of refs")
        for name, status in _entries(root, folder):
            path = f"{folder}/{name}"
            if not stat.S_ISDIR(status.st_mode):
                files += 1
                if files > _MOST_ENTRIES:
                    raise TooMany(f"more than {_MOST_ENTRIES} loose refs")
                yield path, status
            elif path.count("/") < _DEEPEST and len(path) < _LONGEST:
                folders.append(path)


def _entries(root: int, folder: str) -> list[tuple[str, os.stat_result]]:
    statuses: list[tuple[str, os.stat_result]] = []
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.parent_of(root, f"{folder}/x", create=False) as descriptor,
        os.scandir(descriptor) as entries,
    ):
        for entry in entries:
            if len(statuses) >= _MOST_ENTRIES:
                raise TooMany(f"more than {_MOST_ENTRIES} refs in one folder")
            with contextlib.suppress(OSError):
                statuses.append((entry.name, entry.stat(follow_symlinks=False)))
    return statuses


def read_head(folder: str) -> Head:
    """The HEAD of the git directory `folder`; one that is not `is_known` where the file is a link or has no valid
    content.
    """
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        return parse_head(read_small(root, "HEAD", _LONGEST) or "")
    return Head()


def parse_head(text: str) -> Head:
    """The HEAD in the content of its file; one that is not `is_known` where git would not write such a content."""
    line = text.rstrip("\n")
    branch = line.removeprefix("ref: ")
    if branch != line:
        is_branch = branch.startswith(ref_names.HEADS) and ref_names.is_allowed(branch)
        return Head(branch=branch) if is_branch else Head()
    return Head(commit=line) if ref_names.is_oid(line) else Head()


def operation(folder: str, *, locks: bool = True) -> Operation | None:
    """The git operation, such as a rebase, that is under way in the git directory `folder`; None for none.

    :param locks: whether a lock file of git, which a command holds while it writes, counts as one
    """
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        for name, of_kind in OPERATIONS:
            if of_kind is Operation.WRITING and not locks:
                continue
            with contextlib.suppress(FileNotFoundError):
                os.lstat(name, dir_fd=root)
                return of_kind
    return None


def stashes(folder: str, tip: str) -> list[str]:
    """Object ids of the stashes in the git directory `folder`, the newest first; a long list is cut.

    :param tip: the id of `refs/stash`, the newest stash; '' for none
    """
    if not tip:
        return []
    ids = [oid for oid in reversed(_logged(folder, "logs/refs/stash")) if oid != tip]
    return [tip, *dict.fromkeys(ids)][:_MOST_STASHES]


def logged(folder: str) -> frozenset[str]:
    """The object ids that the reflogs of the git directory `folder` name; of long logs the newest alone."""
    ids: set[str] = set(_logged(folder, "logs/HEAD"))
    left = _MOST_LOGS
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        for path, status in files_below(root, "logs/refs"):
            left -= min(status.st_size, _MOST_LOG)
            if len(ids) > _MOST_LOGGED or left < 0:
                break
            ids.update(_logged_in(root, path))
    return frozenset(ids)


def _logged(folder: str, path: str) -> list[str]:
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        return _logged_in(root, path)
    return []


def _logged_in(root: int, path: str) -> list[str]:
    """The new values of a log's entries, the oldest first."""
    data = os.fsencode(read_small(root, path, _MOST_LOG, last=True) or "")
    # From the end: a line more for each byte is nothing that git writes.
    lines = data.rstrip(b"\n").rsplit(b"\n", _MOST_LOGGED)[-_MOST_LOGGED:]
    words = (line[:_LONGEST_LOG_HEAD].split(b" ", 2)[:2] for line in lines)
    ids = (os.fsdecode(pair[1]) for pair in words if len(pair) == 2)
    return [oid for oid in ids if ref_names.is_oid(oid)]


def read_small(root: int, path: str, most: int, *, last: bool = False) -> str | None:
    """The text of the regular file `path` below the open folder `root`; None where nothing is there.

    '' for a file that cannot be read, a link, or anything that is no regular file.

    :param most: size limit in bytes; a longer file counts as one that cannot be read
    :param last: read the last `most` bytes of a longer file instead
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with beneath.parent_of(root, path, create=False) as folder:
            descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    except (OSError, SandboxdError, ValueError):
        return ""
    with reading(descriptor) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (status.st_size > most and not last):
            return ""
        with contextlib.suppress(OSError):
            file.seek(max(0, status.st_size - most))
            return os.fsdecode(file.read(most))
    return ""


def elsewhere(common: str, own: str) -> frozenset[str]:
    """Full names of the branches that other work trees have checked out, or are rebasing or bisecting.

    :param common: the repository's common git directory
    :param own: the git directory of the work tree that is not counted
    """
    folders = [common]
    with contextlib.suppress(OSError), os.scandir(os.path.join(common, "worktrees")) as entries:
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    branches: set[str] = set()
    for folder in folders[:_MOST_WORKTREES]:
        if os.path.realpath(folder) == os.path.realpath(own):
            continue
        branches.add(read_head(folder).branch)
        branches |= rewritten(folder)
    return frozenset(branches - {""})


def rewritten(folder: str) -> frozenset[str]:
    """Full names of the branches that a rebase or bisect under way in the git directory `folder` moves or returns to at
    its end: git compares them with what they were at its start.
    """
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        lines = [
            line
            for name in ("rebase-merge/head-name", "rebase-apply/head-name")
            for line in _lines(root, name)
        ]
        # Three lines for each: its name, and its ids before and after.
        lines += _lines(root, "rebase-merge/update-refs")[::3]
        lines += [f"{ref_names.HEADS}{line}" for line in _lines(root, "BISECT_START")]
        return frozenset(line for line in lines if line.startswith(ref_names.HEADS)) - {
            ref_names.HEADS
        }
    return frozenset()


def _lines(root: int, path: str) -> list[str]:
    return (read_small(root, path, _MOST_LOG) or "").strip().split("\n")
