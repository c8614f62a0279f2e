"""Finds commits of a sandbox that the host must not take without the user's consent.

They change a nested repository or `.gitmodules`, or files that are mounted read-only in the sandbox: git on the host
would write these, and tools there would run them. Both the tree of a tip and the changes of each commit on the way to
it count, since `git bisect` and `git rebase` check those out. What a merge on the way takes over from one of its
parents is no change of its own, so it may bring an old version of the host's.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange import on_host
from sandboxd.exchange.difference import Acts, Reason, Tip
from sandboxd.exchange.state import BY_WEIGHT
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.plan.named_paths import folders_above
from sandboxd.policy.acts_on_host import weigh

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.state import Shut, Side

_MOST_TIPS = 100
"""Tips that are looked at one by one: each starts git."""
_MOST_LISTED = 64 << 20
"""Bytes of a list of changes: more counts as changes that act."""
_LARGEST_FILE = 4 << 20
_MOST_PATHS = 200
_GITLINK = b"160000"
_FOLDER = b"040000"
_NOTHING = b"000000"
_MODULES = b".gitmodules"
_STAY_INSIDE = ("control", "never")
_IS_EXECUTABLE = {b"100644": False, b"100755": True}
_LIST = ("--raw", "-z", "-r", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
"""By the last one no `.gitmodules` hides a repository."""
_UNKNOWN = Acts(Reason.CONTROL)


class _Change(NamedTuple):
    modes: tuple[bytes, ...]
    oid: bytes
    path: bytes

    @property
    def enters(self) -> bool:
        """Whether it changes a nested repository (gitlink) or `.gitmodules`."""
        return _GITLINK in self.modes or self.path.lower() == _MODULES

    @property
    def is_of_folder(self) -> bool:
        """Whether it changes a folder, whose files are listed themselves."""
        return _FOLDER in self.modes and set(self.modes) <= {_FOLDER, _NOTHING}


def acts_of(host: HostGit, tips: Iterable[Tip], ours: Side, shut: Shut) -> dict[Tip, Acts]:
    """The tips that the host must not take without the user's consent, each with the reason and the paths.

    Tips without such changes are left out. What the host only fetched counts as new: a sandbox that pushes could have
    had it fetched.

    :raises CannotRun: git does not end, or cannot be started
    """
    chosen = sorted(set(tips))
    if not chosen:
        return {}
    looks = _Looks(host, ours, _ShutPaths(shut, host))
    every = [*looks.on_the_way(chosen).items(), *looks.in_trees(chosen).items()]
    acts: dict[Tip, Acts] = {}
    for tip, part in every:
        acts[tip] = _joined(acts[tip], part) if tip in acts else part
    return acts


def of_stashes(host: HostGit, tips: Iterable[Tip], ours: Side, shut: Shut) -> dict[Tip, Acts]:
    """As `acts_of` for stashes, whose own changes count as well: `git stash apply` makes those to the first parent, which
    a program inside chooses, so that they can bring a version of the host's past.

    :raises CannotRun: git does not end, or cannot be started
    """
    chosen = sorted(set(tips))
    acts = acts_of(host, chosen, ours, shut)
    if chosen:
        applied = _Looks(host, ours, _ShutPaths(shut, host)).in_stashes(chosen)
        acts |= {tip: part for tip, part in applied.items() if tip not in acts}
    return acts


def of_checkout(host: HostGit, ours: Side, new: str, shut: Shut) -> Acts | None:
    """The files that are shut inside and that HEAD and index of the host would get from the commit `new` of the
    sandbox; None for none.

    Git inside cannot write them, so it cannot have switched there. Repositories below are not looked at, and what
    `new` lacks does not count: git on the host writes nothing for it.

    :raises CannotRun: git does not end, or cannot be started
    """
    return _Looks(host, ours, _ShutPaths(shut, host)).in_checkout(new)


def _joined(one: Acts, other: Acts) -> Acts:
    reason = Reason.NESTED if Reason.NESTED in (one.reason, other.reason) else Reason.CONTROL
    return Acts(reason, tuple(sorted({*one.paths, *other.paths})))


class _ShutPaths:
    """Paths that are read-only inside, compared without case as some file systems do."""

    def __init__(self, shut: Shut, host: HostGit) -> None:
        self._paths = {_folded(path) for path in shut.paths}
        self._is_by_weight = BY_WEIGHT in shut.paths
        self._is_held = shut.is_held
        self._above = {up for path in self._paths for up in folders_above(path)}
        self._workspace = host.repository.workspace
        self._sha256 = host.sha256

    def has(self, change: _Change) -> bool:
        """Whether a change is at or below such a path, or puts a file in place of a folder above one.

        Not if the host's work tree already has that file, and its mount was there: nobody inside could write it.
        """
        path = _folded(os.fsdecode(change.path))
        is_shut = (
            bool({"", path} & self._paths)
            or path in self._above
            or any(up in self._paths for up in folders_above(path))
            or (self._is_by_weight and weigh(os.fsdecode(change.path))[0] in _STAY_INSIDE)
        )
        return is_shut and not (self._is_held and self._is_on_disk(change))

    def _is_on_disk(self, change: _Change) -> bool:
        """Whether the host has that file in the work tree."""
        is_executable = _IS_EXECUTABLE.get(change.modes[-1])
        if is_executable is None:
            return False
        try:
            with (
                beneath.open_folder(self._workspace) as root,
                beneath.parent_of(root, os.fsdecode(change.path), create=False) as folder,
            ):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                name = os.path.basename(change.path)
                with reading(os.open(name, flags, dir_fd=folder)) as file:
                    status = os.fstat(file.fileno())
                    data = file.read(_LARGEST_FILE + 1) if stat.S_ISREG(status.st_mode) else b""
        except (OSError, SandboxdError, ValueError):
            return False
        is_same_kind = bool(status.st_mode & stat.S_IXUSR) is is_executable
        whole = stat.S_ISREG(status.st_mode) and len(data) <= _LARGEST_FILE
        kind = hashlib.sha256 if self._sha256 else hashlib.sha1
        oid = kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return whole and is_same_kind and oid.encode() == change.oid


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


class _Looks:
    def __init__(self, host: HostGit, ours: Side, shut: _ShutPaths) -> None:
        self._host = host
        self._ours = ours
        self._shut = shut

    def on_the_way(self, tips: list[Tip]) -> dict[Tip, Acts]:
        """What acts in the commits of each tip that no branch of the host contains."""
        together = self._of_commits([tip.oid for tip in tips])
        if together is None:
            return {}
        if len(tips) == 1 or len(tips) > _MOST_TIPS:
            return dict.fromkeys(tips, together)
        each = {tip: self._of_commits([tip.oid]) for tip in tips}
        return {tip: acts for tip, acts in each.items() if acts is not None}

    def _of_commits(self, oids: list[str]) -> Acts | None:
        of_head = f"^{self._ours.commit}\n" if self._ours.commit else ""
        text = "".join(f"{oid}\n" for oid in oids) + of_head
        words = ("log", "--format=", "-c", "-t", *_LIST, "--stdin", "--not", "--branches")
        code, listing, _ = self._host.attempt(*words, data=text.encode(), most=_MOST_LISTED)
        return _UNKNOWN if code else _acts(self._weigh(_changes(listing)))

    def in_trees(self, tips: list[Tip]) -> dict[Tip, Acts]:
        """What acts in the difference of each tip's tree to the host's branch of that name, or to what is checked out
        there.

        A merge could take a file from any commit of the host's past without a change of its own.
        """
        bases = [self._ours.tip(tip.name) or self._ours.commit for tip in tips]
        pairs = [(base, tip.oid) for base, tip in zip(bases, tips, strict=True)]
        listed = self._between(pairs)
        if None in listed and 1 < len(pairs) <= _MOST_TIPS:
            listed = [self._between([pair])[0] for pair in pairs]
        suspects = dict(zip(tips, listed, strict=True))
        acts: dict[Tip, Acts] = {}
        for tip, changes in suspects.items():
            left = _acts(changes)
            if left is not None and len(acts) < _MOST_TIPS:
                left = self._unless_of_host(tip, changes)
            if left is not None:
                acts[tip] = left
        return acts

    def in_stashes(self, tips: list[Tip]) -> dict[Tip, Acts]:
        """What acts in the changes that applying each stash makes: to the files, and with `--index` to the index."""
        pairs = [(f"{tip.oid}^1", new) for tip in tips for new in (tip.oid, f"{tip.oid}^2")]
        listed = self._between(pairs)
        acts: dict[Tip, Acts] = {}
        for tip, changes in zip([tip for tip in tips for _ in range(2)], listed, strict=True):
            if (part := _acts(changes)) is not None:
                acts[tip] = _joined(acts[tip], part) if tip in acts else part
        return acts

    def in_checkout(self, new: str) -> Acts | None:
        """As `of_checkout`."""
        (changes,) = self._between([(self._ours.commit, new)])
        if changes is None:
            return _UNKNOWN
        return _acts(
            [
                change
                for change in changes
                if not (_GITLINK in change.modes or change.modes[-1] == _NOTHING)
                and self._shut.has(change)
            ]
        )

    def _unless_of_host(self, tip: Tip, changes: list[_Change] | None) -> Acts | None:
        """What acts in a tip, without differences that come only from its being older than the host's branch or
        checkout.
        """
        old = self._ours.tip(tip.name)
        if not old and on_host.has(self._host, tip.oid, branches_only=True):
            return None
        if changes is None:
            return _UNKNOWN
        with_which = (old or self._ours.commit, tip.oid)
        code, output, _ = self._host.attempt("merge-base", *filter(None, with_which))
        further = [self._ours.commit, output.decode().strip() if code == 0 else ""]
        for base in filter(None, further):
            (others,) = self._between([(base, tip.oid)])
            if others is None:
                return _UNKNOWN
            paths = {change.path for change in others}
            changes = [change for change in changes if change.path in paths]
        return _acts(changes)

    def _between(self, pairs: list[tuple[str, str]]) -> list[list[_Change] | None]:
        """The changes that act, between the two commits of each pair; None for a pair that git cannot compare.

        '' as the first commit stands for an empty tree.
        """
        empty = ""
        if not all(old for old, _ in pairs):
            empty = self._host.run("hash-object", "-t", "tree", os.devnull).decode().strip()
        trees = self._trees({oid for pair in pairs for oid in pair if oid}) | {"": empty}
        known = {(trees[a], trees[b]) for a, b in pairs if trees.get(a, "") and trees.get(b, "")}
        listed = self._of_trees(sorted(known))
        return [
            listed.get((trees.get(a, ""), trees.get(b, ""))) if listed is not None else None
            for a, b in pairs
        ]

    def _trees(self, oids: set[str]) -> dict[str, str]:
        """The id of the tree of each commit, tag or tree; those without a tree are left out."""
        chosen = sorted(oids)
        data = "".join(f"{oid}^{{tree}}\n" for oid in chosen).encode()
        lines = self._host.run("cat-file", "--batch-check", data=data).decode().split("\n")
        words = [line.split(" ") for line in lines[: len(chosen)]]
        pairs = zip(chosen, words, strict=True)
        return {oid: w[0] for oid, w in pairs if len(w) == 3 and w[1] == "tree"}

    def _of_trees(
        self, pairs: list[tuple[str, str]]
    ) -> Mapping[tuple[str, str], list[_Change]] | None:
        text = "".join(f"{old} {new}\n" for old, new in pairs)
        words = ("diff-tree", *_LIST, "--stdin")
        code, listing, _ = self._host.attempt(*words, data=text.encode(), most=_MOST_LISTED)
        if code:
            return None
        changes: dict[tuple[str, str], list[_Change]] = {pair: [] for pair in pairs}
        pair = ("", "")
        for lines, change in _parts(listing):
            for line in lines:
                old, _, new = line.decode().partition(" ")
                pair = (old, new)
            if change is not None:
                changes[pair] += self._weigh([change])
        return changes

    def _weigh(self, changes: Iterable[_Change]) -> list[_Change]:
        return [
            change
            for change in changes
            if change.enters or (not change.is_of_folder and self._shut.has(change))
        ]


def _acts(changes: list[_Change] | None) -> Acts | None:
    if changes is None:
        return _UNKNOWN
    if not changes:
        return None
    reason = Reason.NESTED if any(change.enters for change in changes) else Reason.CONTROL
    paths = sorted({os.fsdecode(change.path) for change in changes})
    return Acts(reason, tuple(paths[:_MOST_PATHS]))


def _changes(listing: bytes) -> Iterator[_Change]:
    return (change for _, change in _parts(listing) if change is not None)


def _parts(listing: bytes) -> Iterator[tuple[list[bytes], _Change | None]]:
    """Each change of a raw list, after the lines that come before it."""
    fields = iter(listing.split(b"\0"))
    for field in fields:
        *lines, head = field.split(b"\n")
        parents = len(head) - len(head.lstrip(b":"))
        if not parents:
            yield lines, None
            continue
        words = head[parents:].split(b" ")
        path = next(fields, b"")
        yield lines, _Change(tuple(words[: parents + 1]), words[2 * parents + 1], path)
