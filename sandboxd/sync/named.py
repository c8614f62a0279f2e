"""Paths on which git on the host acts because a setting of its user or repository names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sandboxd.policy.acts_on_host import plain_path
from sandboxd.sync.state import folders_above, is_within

WHY_ABOVE = "git's config names a path in a folder of this name, and git acts on what is there"


class Named(NamedTuple):
    """The paths, as file systems read them that ignore case or drop characters.

    :ivar above: the folders above them
    """

    paths: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether `path` is one of them, or in one."""
        return bool(self.paths) and is_within(plain_path(path), self.paths)

    def is_above(self, path: str) -> bool:
        """Whether one of them is below `path`, so that what is no folder there would lead to another file."""
        return bool(self.above) and plain_path(path) in self.above


def named(paths: Iterable[str]) -> Named:
    """`paths`, to be compared with others."""
    plain = frozenset(map(plain_path, paths))
    return Named(plain, frozenset().union(*map(folders_above, plain)))
