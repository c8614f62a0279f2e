"""Finds files that were only renamed; each is shown as one change, as it need not be read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.review.weigh import Item


def renames(items: Sequence[Item]) -> dict[str, str]:
    """New path -> old path, for files with the same content and mode, if neither path needs attention.

    Several files with the same content are paired in the order of their paths. Empty files are not paired, since there
    are too many of them.
    """
    gone: dict[tuple[bytes, bool], list[str]] = {}
    for item in items:
        if item.kind == "deleted" and item.old and _is_plain(item):
            gone.setdefault((item.old, _was_executable(item)), []).append(item.path)
    pairs: dict[str, str] = {}
    for item in items:
        candidates = gone.get((item.new, item.executable))
        if item.kind == "added" and _is_plain(item) and candidates:
            pairs[item.path] = candidates.pop(0)
    return pairs


def _is_plain(item: Item) -> bool:
    return not (item.link or item.blocked or item.control or item.remarks)


def _was_executable(item: Item) -> bool:
    return bool(item.here.mode & 0o100)
