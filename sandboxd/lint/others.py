"""Files of a project that are somebody else's: copies of other projects, data of tests, and examples.

What is weak in them is no setting of the project, and nobody of the project can change it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.lint.gitignore import Ignore, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def among(paths: Iterable[str], root: str, base: str, patterns: Collection[str]) -> set[str]:
    """Those of `paths` that are somebody else's, by their own names or those of folders below `root`.

    :param root: the folder that was searched; by its own name and those above it no file is somebody else's, as
        whoever names a folder wants it checked
    :param base: the folder that the patterns are relative to: `root` or one above it
    """
    if not patterns:
        return set()
    ignore = Ignore(base, parse("\n".join(patterns)), None)
    known = {root.rstrip("/"): False, "/": False}

    def matches(path: str, is_folder: bool) -> bool:
        if path not in known:
            above = matches(os.path.dirname(path), is_folder=True)
            known[path] = above or ignore.ignores(path, is_folder, as_git=True)
        return known[path]

    start = f"{root.rstrip('/')}/"
    return {path for path in paths if path.startswith(start) and matches(path, is_folder=False)}
