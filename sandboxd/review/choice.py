"""Selects the changes to write to the host: those that the user named or asked for; deletions only if asked for."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.plan import beneath

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.review.weigh import Item

DELETION = "a deletion"
"""The reason why a deletion is left out: the user did not ask for deletions."""

MANY = 20
"""If more than this many files are to be deleted at once, the user has to type their number; the same holds for"""
SHARE = 0.1
"""more than this share of the workspace's files."""

_MOST_FILES = 1_000_000


class Choice(NamedTuple):
    """The selected changes, and the others.

    `writes` and `deletions` are to be applied; `left` are not, each with the reason.
    """

    writes: tuple[Item, ...]
    deletions: tuple[Item, ...]
    left: tuple[tuple[Item, str], ...]


def choose(items: Iterable[Item], named: Collection[str], deletions: bool) -> Choice:
    """Sort `items` into those to apply and the others.

    :param named: paths that the user named
    :param deletions: whether the user asked for all deletions
    """
    writes, deleted, rest = [], [], []
    for item in items:
        if item.blocked:
            rest.append((item, item.blocked))
        elif item.control and item.path not in named:
            rest.append((item, item.control))
        elif item.kind != "deleted":
            writes.append(item)
        elif deletions or item.path in named:
            deleted.append(item)
        else:
            rest.append((item, DELETION))
    return Choice(tuple(writes), tuple(deleted), tuple(rest))


def digest(items: Iterable[Item]) -> str:
    """A digest of the changes, to check that exactly what was shown is applied."""
    whole = hashlib.sha256()
    for item in items:
        words = [item.path, item.kind, item.executable, item.link, item.blocked, item.control]
        parts = [json.dumps(words).encode(), item.old, item.new]
        for part in parts:
            whole.update(b"%d " % len(part))
            whole.update(part)
    return whole.hexdigest()


def is_bulk(deletions: int, files: int) -> bool:
    """Whether `deletions` of `files` files are so many that the user has to type their number."""
    return deletions > MANY or (deletions > 1 and deletions > files * SHARE)


def count_files(workspace: str) -> int:
    """The number of files and links of a workspace, without `.git`; at most a million. No link is followed."""
    with beneath.open_folder(workspace) as root:
        count = 0
        for _, folders, files, _ in os.fwalk(".", dir_fd=root, follow_symlinks=False):
            if ".git" in folders:
                folders.remove(".git")
            count += len(files)
            if count > _MOST_FILES:
                break
        return count
