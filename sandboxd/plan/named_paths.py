"""Paths on which git on the host acts because a setting of its user or repository names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandboxd.policy.acts_on_host import plain_path

WHY_ABOVE = "git's config names a path in a folder of this name, and git acts on what is there"


class Named(NamedTuple):
    """The paths, as file systems read them that ignore case or drop characters.

    :ivar above: the folders above them
    """

    paths: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether `path` is one of them, or in one."""
        if not self.paths:
            return False
        plain = plain_path(path)
        return plain in self.paths or not self.paths.isdisjoint(folders_above(plain))

    def is_above(self, path: str) -> bool:
        """Whether one of them is below `path`, so that what is no folder there would lead to another file."""
        return bool(self.above) and plain_path(path) in self.above


def named(paths: Iterable[str]) -> Named:
    """`paths`, to be compared with others."""
    plain = frozenset(map(plain_path, paths))
    return Named(plain, frozenset().union(*map(folders_above, plain)))


def folders_above(path: str) -> Iterator[str]:
    """The folders that contain a relative path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path
