"""Names of refs: which git allows, which would hide another, and under which the host keeps a sandbox's commits.

Names are str; bytes that are not UTF-8 are surrogates, as `os.fsdecode` makes them.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection

HEADS = "refs/heads/"
TAGS = "refs/tags/"
REMOTES = "refs/remotes/"
STASH = "refs/stash"
ROOT = "refs/sandboxd/"
"""The prefix of all refs that sandboxd makes on the host."""
UNNAMED = "_"
"""Stands for the unnamed sandbox below `ROOT`; no sandbox's name begins with it."""
OLD_UNNAMED = "main"
"""Stood for the unnamed sandbox in older versions, which took a sandbox called `main` for the same."""
_DOT = "="
"""Stands for a dot where git does not allow one: no name has it."""
OF_HOST = ("--branches", "--tags", "--remotes")
"""Options of git for the host's own refs, without those below `ROOT`."""

_ALLOWED = re.compile(
    r"refs(/[^\x00-\x20\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069~^:?*\[\\/]+)+\Z"
)
"""As git-check-ref-format(1) has it, but for what `_REFUSED` adds, and without what drives a terminal or ends a line."""
_REFUSED = re.compile(r"/\.|\.\.|\.(/|\Z)|\.lock(/|\Z)|@\{|/@\Z")
_LONGEST = 1000
_LONGEST_PART = 240
_ID_LENGTH = 12
_SHELL = re.compile(r"[$`;&|<>(){}'\"!#]")
"""What a shell acts on, where a command line is put together with the name of a branch in it."""
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_AMBIGUOUS = re.compile(r"-|refs/|heads/|tags/|remotes/|[0-9a-fA-F]{4,64}\Z|[A-Z_]+\Z")
"""Short names that git takes for something else than a branch, or that a command takes for an option."""
_RESERVED = frozenset({"HEAD", "heads", "held", "stash", "tags"})
"""First parts of names below a sandbox's own that are not those of its branches."""


def is_oid(text: str) -> bool:
    """Whether `text` is a full object id, SHA-1 or SHA-256, and not all zeros."""
    return bool(_OID.match(text)) and text.strip("0") != ""


def is_allowed(name: str) -> bool:
    """Whether git allows `name` as the full name of a ref, and it is neither too long nor has control characters."""
    return (
        len(name) <= _LONGEST
        and bool(_ALLOWED.match(name))
        and not _REFUSED.search(name)
        and all(len(part) <= _LONGEST_PART for part in name.split("/"))
    )


def drives_shell(name: str) -> bool:
    """Whether `name` has characters that a shell interprets where it stands unquoted in a command line."""
    return bool(_SHELL.search(name))


def is_exchanged(name: str) -> bool:
    """Whether refs of this name are exchanged: branches, tags and remote-tracking refs with an allowed name."""
    return name.startswith((HEADS, TAGS, REMOTES)) and is_allowed(name)


def short_names(others: Collection[str]) -> frozenset[str]:
    """The short names by which git finds one of the refs `others` (full names), for `hides`.

    In the form in which case-insensitive file systems compare them.
    """
    names: set[str] = set()
    for other in others:
        names.add(other.removeprefix("refs/"))
        for prefix in (HEADS, TAGS, REMOTES):
            if other.startswith(prefix):
                names.add(other.removeprefix(prefix))
        if other.startswith(REMOTES):
            parts = other.removeprefix(REMOTES).split("/")
            names.update("/".join(parts[:end]) for end in range(1, len(parts)))
    return frozenset(map(_folded, names))


def hides(name: str, names: Collection[str]) -> bool:
    """Whether a new branch or tag `name` would change which ref git finds by its short name.

    With a tag `origin/main` the command `git merge origin/main` merges the tag. Names that look like an object id or
    an option count, too.

    :param names: those of the existing refs, as `short_names` returns them
    """
    short = name.removeprefix(HEADS).removeprefix(TAGS)
    return bool(_AMBIGUOUS.match(short)) or _folded(short) in names


def _folded(name: str) -> str:
    """`name` as file systems compare it that know no case, where refs are files: `MAIN` is `main` there."""
    return unicodedata.normalize("NFC", name.casefold())


def owner(sandbox: str, worktree: str) -> str:
    """The part of a ref's name, directly below `ROOT`, that stands for one sandbox and no other.

    :param sandbox: its name, '' for the unnamed one
    :param worktree: the name of the linked work tree whose sandbox it is, '' for the main one. Work trees of a
        repository share its refs, so it is a part of the result
    """
    name = sandbox or UNNAMED
    if not is_allowed(f"{ROOT}{name}"):
        name = name.replace(".", _DOT)
    if not worktree:
        return name
    if not is_allowed(f"{ROOT}{name}@{worktree}"):
        worktree = hashlib.sha256(os.fsencode(worktree)).hexdigest()[:16]
    return f"{name}@{worktree}"


def below(owner: str) -> str:
    """The prefix of the host's refs for one sandbox.

    :param owner: as the function `owner` returns it
    """
    return f"{ROOT}{owner}/"


def waiting(owner: str, name: str) -> str:
    """The ref on the host for the commits that the sandbox has at `name`; of a branch it is
    `refs/sandboxd/OWNER/BRANCH`.

    Where `name` has characters that a shell interprets, they are replaced and a digest is added: people type the ref,
    and scripts read it.

    :param owner: as the function `owner` returns it
    :param name: `HEAD`, or the full name of a ref of the sandbox
    """
    if drives_shell(name):
        digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:_ID_LENGTH]
        name = f"{_SHELL.sub('-', name)[: _LONGEST_PART // 2].rstrip('-./')}-{digest}"
    if name == "HEAD":
        return f"{below(owner)}HEAD"
    if name.startswith(STASH):
        return f"{below(owner)}{name.removeprefix('refs/')}"
    branch = name.removeprefix(HEADS)
    if branch != name and branch.partition("/")[0] not in _RESERVED:
        return f"{below(owner)}{branch}"
    return f"{below(owner)}{name.removeprefix('refs/')}"


def held(owner: str, oid: str) -> str:
    """The ref on the host that keeps the object `oid` from garbage collection while the sandbox needs it."""
    return f"{below(owner)}held/{oid}"


def parts_of(ref: str) -> tuple[str, str]:
    """The owner part of a ref below `ROOT`, as `owner` returns it, and the rest of its name."""
    owner, _, rest = ref.removeprefix(ROOT).partition("/")
    return owner, rest


def sandbox_of(owner: str) -> str:
    """The name of the sandbox that an owner part stands for; '' for the unnamed one."""
    name = owner.partition("@")[0]
    return "" if name == UNNAMED else name.replace(_DOT, ".")


def is_held(ref: str) -> bool:
    """Whether `ref`, one below `ROOT`, only keeps an object from garbage collection: see `held`."""
    return parts_of(ref)[1].startswith("held/")


def is_waiting(ref: str) -> bool:
    """Whether `ref`, one below `ROOT`, holds commits that can be taken: it is neither a stash nor made by `held`."""
    return not parts_of(ref)[1].startswith(("held/", "stash/"))


def of_inside(ref: str) -> str:
    """The name in the sandbox of the ref whose commits wait at `ref`: the reverse of `waiting`.

    Characters that `waiting` replaced are not restored.
    """
    rest = parts_of(ref)[1]
    if rest == "HEAD":
        return rest
    return f"refs/{rest}" if rest.startswith(("heads/", "tags/")) else f"{HEADS}{rest}"
