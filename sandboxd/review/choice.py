"""Chooses the changes to bring: what a person named or asked for; deletions only when asked for."""

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
"""The reason for a deletion that is not brought because the user did not ask for it."""

MANY = 20
"""More deletions than this at once need their number as an answer, and so do"""
SHARE = 0.1
"""more than this share of the workspace's files."""

_MOST_FILES = 1_000_000


class Choice(NamedTuple):
    """The changes that are brought, and those that are not.

    `writes` and `deletions` are brought; `left` are not, each with the reason.
    """

    writes: tuple[Item, ...]
    deletions: tuple[Item, ...]
    left: tuple[tuple[Item, str], ...]


def choose(items: Iterable[Item], named: Collection[str], deletions: bool) -> Choice:
    """Sort `items` into those to bring and the rest. `named` paths, and with `deletions` all deletions, are asked for."""
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
    """A digest of the changes: equal only where the same would be written and shown."""
    whole = hashlib.sha256()
    for item in items:
        words = [item.path, item.kind, item.executable, item.link, item.blocked, item.control]
        parts = [json.dumps(words).encode(), item.old, item.new]
        for part in parts:
            whole.update(b"%d " % len(part))
            whole.update(part)
    return whole.hexdigest()


def is_bulk(deletions: int, files: int) -> bool:
    """Whether `deletions` in a workspace of `files` files are so many that a person has to type their number."""
    return deletions > MANY or (deletions > 1 and deletions > files * SHARE)


def count_files(workspace: str) -> int:
    """Files and links of a workspace without `.git`; a million at most. No link is followed."""
    with beneath.open_folder(workspace) as root:
        count = 0
        for _, folders, files, _ in os.fwalk(".", dir_fd=root, follow_symlinks=False):
            if ".git" in folders:
                folders.remove(".git")
            count += len(files)
            if count > _MOST_FILES:
                break
        return count
