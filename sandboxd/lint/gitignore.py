"""Reads which paths a repository tells git to ignore, without running git, since the folder may be hostile.

Files that dev container tools read are never ignored, as they have an effect without being tracked; nor are files that
git tracks although a pattern matches them.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from sandboxd import files
from sandboxd.errors import UnreadableError

_READ_ANYWAY = frozenset(
    (".devcontainer", ".devcontainer.json", "devcontainer.json", "sandboxd.toml", ".vscode")
)
# No real file has more patterns, and each costs time for every path.
_MOST = 2_000
_LONGEST = 1_000
# The size for 100,000 files. Files tracked by a larger index count as ignored and are reported so.
_LARGEST_INDEX = 16 << 20


class Pattern(NamedTuple):
    """One pattern of a `.gitignore`: a regular expression for paths below its folder.

    `negated` takes an earlier match back; `folders_only` matches folders alone.
    """

    expression: re.Pattern[str]
    negated: bool
    folders_only: bool


class Ignore:
    """The patterns that apply in a folder: its own and those of the folders above it."""

    def __init__(self, folder: str, patterns: tuple[Pattern, ...], above: Ignore | None) -> None:
        self.folder = folder.rstrip("/")
        self.patterns = patterns
        self.above = above
        self.root: Ignore = above.root if above is not None else self
        self._index: bytes | None = None

    def below(self, folder: str) -> Ignore:
        """The patterns for `folder`, one directly in this folder, with those of its own .gitignore."""
        patterns = _read(f"{folder}/.gitignore")
        return Ignore(folder, patterns, self) if patterns else self

    def whole(self, folder: str) -> Ignore:
        """The patterns for a folder that is itself ignored: everything in it is, except what git tracks."""
        return Ignore(folder, _ALL, self)

    def tracks(self, path: str, is_folder: bool) -> bool:
        """Whether git's index contains `path` or something below it, so that no pattern applies."""
        if self.root._index is None:
            self.root._index = _read_index(self.root.folder)
        name = os.fsencode(path[len(self.root.folder) + 1 :]) + (b"/" if is_folder else b"\0")
        return _has(self.root._index, name)

    def ignores(self, path: str, is_folder: bool, *, as_git: bool = False) -> bool:
        """Whether git would ignore `path`; the last pattern that matches decides.

        :param as_git: also for files that dev container tools read
        """
        if not as_git and path.rpartition("/")[2] in _READ_ANYWAY:
            return False
        level: Ignore | None = self
        while level is not None:
            relative = path[len(level.folder) + 1 :]
            for pattern in reversed(level.patterns):
                if pattern.folders_only and not is_folder:
                    continue
                if pattern.expression.fullmatch(relative):
                    return not pattern.negated
            level = level.above
        return False


def for_folder(folder: str, of_user: str = "") -> Ignore | None:
    """The patterns that apply in `folder`; None outside of a repository.

    Also None where `folder` itself is ignored: a user who names it wants its files checked.

    :param of_user: the path of a file with the user's own patterns for all repositories, which a repository's patterns
        override; '' for none
    """
    root = _repository(folder)
    if root is None:
        return None
    of_all = _read(of_user) if of_user else ()
    ignore = Ignore(root, of_all + _excluded(root) + _read(f"{root}/.gitignore"), None)
    at = root
    for part in folder[len(root) :].strip("/").split("/"):
        if part:
            at = f"{at}/{part}"
            if ignore.ignores(at, True):
                return None
            ignore = ignore.below(at)
    return ignore


def parse(text: str) -> tuple[Pattern, ...]:
    """The patterns of a `.gitignore`."""
    patterns: list[Pattern] = []
    for line in text.splitlines()[:_MOST]:
        if not line.strip() or line.startswith("#") or len(line) > _LONGEST:
            continue
        while line.endswith(" ") and not line.endswith("\\ "):
            line = line[:-1]
        negated = line.startswith("!")
        body = line[1:] if negated else line
        folders_only = body.endswith("/")
        try:
            expression = re.compile(_expression(body.rstrip("/")))
        except re.error:
            continue
        patterns.append(Pattern(expression, negated, folders_only))
    return tuple(patterns)


def _repository(folder: str) -> str | None:
    while True:
        if os.path.exists(f"{folder}/.git"):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _excluded(root: str) -> tuple[Pattern, ...]:
    """The patterns of a repository that none of its commits has, which its linked work trees share."""
    if os.path.isdir(f"{root}/.git"):
        return _read(f"{root}/.git/info/exclude")
    # Late: few folders are a linked work tree.
    from sandboxd.plan.linked_worktree import linked_worktree

    linked = linked_worktree(root)
    return _read(f"{linked.common}/info/exclude") if linked is not None else ()


def _read(path: str) -> tuple[Pattern, ...]:
    try:
        return parse(files.read_source(path).text)
    except UnreadableError:
        return ()


def _read_index(root: str) -> bytes:
    """The index of a repository, b"" where it is elsewhere, as in a worktree, or too large."""
    try:
        return files.read_bytes(f"{root}/.git/index", _LARGEST_INDEX)
    except UnreadableError:
        return b""


def _has(index: bytes, name: bytes) -> bool:
    """Whether an entry of git's index begins with `name`, in which a file ends with a NUL.

    Before a path is its length, in the last 12 bits of the flags; an entry may have more flags after
    those. Version 4 leaves out what an entry shares with the one before: there little is found.
    """
    at = index.find(name)
    while at > 0:
        length = min(index.find(b"\0", at) - at, 0xFFF)
        for before in (2, 4):
            if int.from_bytes(index[at - before : at - before + 2], "big") & 0xFFF == length:
                return True
        at = index.find(name, at + 1)
    return False


def _expression(pattern: str) -> str:
    """A slash within a pattern ties it to its folder; without one it fits at every depth.

    What stands before a star is looked for once and kept (`(?>...)`), the first that fits being as
    good as any: a stranger's pattern may have hundreds of stars, and must not be tried in all ways.
    """
    parts = pattern.removeprefix("/").split("/")
    runs: list[list[str]] = [[]] if "/" in pattern else [[], []]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_component(part))
    first, *middle = runs
    if not middle:
        return "/".join(first)
    *middle, last = middle
    expression = "".join(f"{part}/" for part in first)
    for run in filter(None, middle):
        expression += f"(?>(?:[^/]+/)*?{''.join(f'{part}/' for part in run)})"
    return expression + (f"(?:[^/]+/)*{'/'.join(last)}" if last else ".+")


def _component(pattern: str) -> str:
    """One name of a path."""
    pieces = [""]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[" and "]" in pattern[at + 2 :]:
            close = pattern.index("]", at + 2)
            inner = pattern[at + 1 : close].replace("\\", "\\\\")
            inner = "^" + inner[1:] if inner.startswith(("!", "^")) else inner
            pieces[-1] += f"(?!/)[{inner}]"
            at = close
        else:
            if char == "\\" and at + 1 < len(pattern):
                at += 1
            pieces[-1] += re.escape(pattern[at])
        at += 1
    if len(pieces) == 1:
        return pieces[0]
    inner = "".join(f"(?>[^/]*?{piece})" for piece in pieces[1:-1] if piece)
    return f"{pieces[0]}{inner}[^/]*{pieces[-1]}"


_ALL = parse("*")
