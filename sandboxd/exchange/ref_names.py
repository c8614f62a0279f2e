"""Names of refs: which git allows, which would hide another, and under which the host holds what a sandbox made.

Names are text in which bytes that are not UTF-8 stand as surrogates, as of `os.fsdecode`."""

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
"""Below it are the host's refs that we make."""
UNNAMED = "_"
"""What the sandbox without a name is spelled as there: every name begins with a letter or digit."""
OLD_UNNAMED = "main"
"""As it was spelled once, and as one of that name is."""
_DOT = "="
"""Stands for a dot where git does not allow one: no name has it."""
OF_HOST = ("--branches", "--tags", "--remotes")
"""The options by which git takes the host's own refs, without ours."""

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
    """Whether `text` is the full id of an object, and not the one that stands for none."""
    return bool(_OID.match(text)) and text.strip("0") != ""


def is_allowed(name: str) -> bool:
    """Whether git allows `name`, the full name of a ref."""
    return (
        len(name) <= _LONGEST
        and bool(_ALLOWED.match(name))
        and not _REFUSED.search(name)
        and all(len(part) <= _LONGEST_PART for part in name.split("/"))
    )


def drives_shell(name: str) -> bool:
    """Whether a command line into which `name` is put without quotes would be another one."""
    return bool(_SHELL.search(name))


def is_exchanged(name: str) -> bool:
    """Whether a ref of this name passes between the sides."""
    return name.startswith((HEADS, TAGS, REMOTES)) and is_allowed(name)


def short_names(others: Collection[str]) -> frozenset[str]:
    """The short names, as of `_folded`, by which git finds one of the refs `others`, or would look for it."""
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
    """Whether git would take the short name of a new branch or tag for it, where it meant another ref before.

    `git merge origin/main` merges a tag of that name. Names that look like an id or an option count, too.

    :param names: those of the refs that are there, as of `short_names`
    """
    short = name.removeprefix(HEADS).removeprefix(TAGS)
    return bool(_AMBIGUOUS.match(short)) or _folded(short) in names


def _folded(name: str) -> str:
    """`name` as file systems compare it that know no case, where refs are files: `MAIN` is `main` there."""
    return unicodedata.normalize("NFC", name.casefold())


def owner(sandbox: str, worktree: str) -> str:
    """What stands below `ROOT` for one sandbox and no other.

    :param sandbox: its name, '' for the one without: no name begins as that one is spelled
    :param worktree: the name of the linked work tree that it is of, '' for none: those of one repository share its refs
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
    """The prefix of the host's refs for the sandbox that is spelled `owner`."""
    return f"{ROOT}{owner}/"


def waiting(owner: str, name: str) -> str:
    """The host's ref for what the sandbox has at `name`: of a branch `refs/sandboxd/OWNER/BRANCH`.

    A name that drives a shell is spelled without that and with an id: it is to be typed, and read by scripts.
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
    """The host's ref that keeps the object `oid` for the sandbox."""
    return f"{below(owner)}held/{oid}"


def parts_of(ref: str) -> tuple[str, str]:
    """Whose one of the host's refs `ref` is, as of `owner`, and what it is called below that."""
    owner, _, rest = ref.removeprefix(ROOT).partition("/")
    return owner, rest


def sandbox_of(owner: str) -> str:
    """The name of the sandbox that is spelled `owner`, '' for the one without."""
    name = owner.partition("@")[0]
    return "" if name == UNNAMED else name.replace(_DOT, ".")


def is_held(ref: str) -> bool:
    """Whether `ref` only keeps an object."""
    return parts_of(ref)[1].startswith("held/")


def is_waiting(ref: str) -> bool:
    """Whether `ref` names commits that can be taken: neither a stash nor what only keeps an object."""
    return not parts_of(ref)[1].startswith(("held/", "stash/"))


def of_inside(ref: str) -> str:
    """What the sandbox calls what waits at `ref`, as of `waiting`."""
    rest = parts_of(ref)[1]
    if rest == "HEAD":
        return rest
    return f"refs/{rest}" if rest.startswith(("heads/", "tags/")) else f"{HEADS}{rest}"
