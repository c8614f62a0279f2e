"""Says in one line each what stays out of a sandbox, and what of it git's objects show all the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.review.hide.in_git import Stored

_MOST_NAMED = 5


def of_hidden(hidden: Mapping[str, str], unread: int) -> str:
    """A line for the user about the hidden files, and about files judged by name alone; '' if there are neither.

    :param unread: how many files were not looked through for secrets
    """
    parts = []
    if hidden:
        parts.append(f"not in the sandbox: {_names(hidden)}")
    if unread:
        parts.append(f"{unread:,} files were judged by their names alone, since there are too many")
    if not parts:
        return ""
    return f"{'; '.join(parts)}; `[workspace] show` in sandboxd.toml brings one after `sandboxd trust add`"


def of_stored(stored: Stored) -> str:
    """A line for the user about hidden files whose content git's objects have all the same; '' for none."""
    if stored.paths:
        return (
            f"in git's objects, which the sandbox reads: {_names(stored.paths)} "
            "(committed, staged or stashed once): withdraw those secrets"
        )
    return "" if stored.is_complete else "not all hidden files were looked for in git's objects"


def _names(paths: Iterable[str]) -> str:
    names = [f"`{path}`" if path.isprintable() else repr(path) for path in paths]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
