"""Compares names from inside as the host's file system does: two that are one file there must not both be written."""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.policy.acts_on_host import plain_name
from sandboxd.sync.state import above

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = re.compile(r"[^.~]{1,6}~[0-9]{1,6}(?:\.[^.]{0,3})?\Z")
"""Short names that FAT and NTFS give to files in addition."""
LONGEST_NAME = 255
"""The longest name in bytes, as in most file systems."""
_MOST_TRIED = 100


class Reading(NamedTuple):
    """How a file system compares names; what is not known is assumed to hold.

    :ivar folds: whether names that differ only in case or Unicode normalisation can be one file
    :ivar has_short_names: whether a name such as `GIT~1` can be another file's short name
    """

    folds: bool = True
    has_short_names: bool = True


def reading_of(folder: int) -> Reading:
    """Find out how the file system of the open `folder` compares names, by looking up existing entries in another case.

    :raises OSError: the folder cannot be read
    """
    for name in sorted(os.listdir(folder))[:_MOST_TRIED]:
        other = name.swapcase()
        if other.casefold() != name.casefold() or other == name:
            continue
        try:
            entry = os.lstat(name, dir_fd=folder)
            again = os.lstat(other, dir_fd=folder)
        except FileNotFoundError:
            return Reading(folds=False, has_short_names=False)
        if (entry.st_dev, entry.st_ino) != (again.st_dev, again.st_ino):
            return Reading(folds=False, has_short_names=False)
        return Reading()
    return Reading()


class Names:
    """The names that the host has, and those about to be created there."""

    def __init__(self, reading: Reading, paths: Iterable[Iterable[str]]) -> None:
        self._reading, self._paths = reading, paths
        self._siblings: dict[str, list[str]] | None = None
        self._plain: dict[str, dict[str, str]] = {}

    def reason_against(self, path: str) -> str:
        """The reason why the last name of `path` must not be created on the host. '' if it may; then it counts as
        existing.
        """
        name = path.rpartition("/")[2]
        if not name.isprintable():
            return "its name has characters that drive a terminal, or that nobody sees"
        if len(os.fsencode(name)) > LONGEST_NAME:
            return "its name is too long"
        if self._reading.has_short_names and _SHORT.match(name):
            return "its name is the second name of another file on some file systems"
        if not self._reading.folds:
            return ""
        taken_by = self._names_in(above(path)).setdefault(plain_name(name), name)
        return "" if taken_by == name else f"its name is the same as `{taken_by}` to the host"

    def _names_in(self, folder: str) -> dict[str, str]:
        """The names in `folder` by the form in which file systems fold them."""
        if self._siblings is None:
            self._siblings = {}
            for path in itertools.chain.from_iterable(self._paths):
                self._siblings.setdefault(above(path), []).append(path.rpartition("/")[2])
        if folder not in self._plain:
            names = sorted(self._siblings.get(folder, ()))
            self._plain[folder] = {plain_name(name): name for name in names}
        return self._plain[folder]
