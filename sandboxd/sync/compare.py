"""Compares two sides with their last common state: what is copied which way, what stays different, and what is in
conflict.

Pure and total: equal states give the equal result, whatever they contain. Content that only one side has, and that is
not the last common content, is never overwritten: if both sides changed a path, it gets the host's version, and the
sandbox's is kept next to it.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import itertools
import os
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from sandboxd.plan.named_paths import WHY_ABOVE, folders_above
from sandboxd.sync.flows import Policy, Rule, aside, could_matter_beside_head, is_head
from sandboxd.sync.names import LONGEST_NAME, Names, Reading
from sandboxd.sync.news import differences
from sandboxd.sync.state import (
    FOLDER,
    Agreed,
    Content,
    Kind,
    Snapshot,
    above,
    is_within,
    order,
)
from sandboxd.sync.steps import Act, Step, steps_of
from sandboxd.sync.stops import Removed, Roots, Stop, stop_after, stop_before
from sandboxd.sync.verdict import NEEDS, Verdict, verdict_of

_OTHER_KIND = "the other side has something there that stays where it was made"
_FOLDER_STAYS = "the folder that it is in stays inside"


class Stay(NamedTuple):
    """A path that differs between the sides and stays different, with the reason."""

    path: str
    why: str


class Conflict(NamedTuple):
    """A path that both sides changed. Inside, the sandbox's version is kept at `beside`; '' if it stays at the path."""

    path: str
    beside: str


class Comparison(NamedTuple):
    """The result of a comparison: the steps for each side, and what to tell the user.

    :ivar agreed: the paths whose common content changes, with the new one; None if there is none any more
    :ivar marked: paths copied to the host that run when the project is built or tested, with the reason
    :ivar stop: the reason why nothing is done; then there are no steps, and the common state stays
    """

    host: tuple[Step, ...] = ()
    inside: tuple[Step, ...] = ()
    agreed: Mapping[str, Content | None] = {}
    stays: tuple[Stay, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    marked: tuple[Stay, ...] = ()
    stop: Stop | None = None


def _no_reason(_path: str, _target: str) -> str:
    return ""


def _nothing() -> Removed:
    return {}


def compare(
    host: Snapshot,
    inside: Snapshot,
    agreed: Agreed,
    policy: Policy,
    *,
    roots: Roots | None = None,
    reading: Reading | None = None,
    why_no_link: Callable[[str, str], str] = _no_reason,
    allowed: Container[str] = frozenset(),
    earlier: Callable[[], Removed] = _nothing,
    changed: Collection[str] | None = None,
) -> Comparison:
    """Compare the two sides.

    :param agreed: the content of each path at the end of the last comparison
    :param roots: the folders of that comparison; None at first
    :param reading: how the host's file system compares names
    :param why_no_link: returns the reason why the host must not have a link at a path to a target; '' if it may
    :param allowed: paths that may be removed on the host, because the user agreed
    :param earlier: see `stops.stop_after`
    :param changed: the paths at which a side has something else than `agreed`, if they are known
    """
    stop = stop_before(host, inside, agreed, roots, allowed)
    if stop is not None:
        return Comparison(stop=stop)
    if changed is None:
        changed = differences(host, agreed) | differences(inside, agreed)
    paths = paths_of(changed)
    decision = _Decision(host, inside, agreed, policy, reading or Reading(), why_no_link, paths)
    decision.decide()
    decision.complete()
    comparison = decision.comparison()
    stop = stop_after(comparison.host, decision.remaining, agreed, allowed, earlier)
    return comparison if stop is None else Comparison(stop=stop)


def paths_of(changed: Collection[str]) -> set[str]:
    """The paths about which there is something to decide, with the folders above them: of most files is nothing."""
    return set(changed).union(*map(folders_above, changed))


class _Decision:
    """What is wanted at each path of each side; what is not there stays as it is."""

    def __init__(
        self,
        host: Snapshot,
        inside: Snapshot,
        agreed: Agreed,
        policy: Policy,
        reading: Reading,
        why_no_link: Callable[[str, str], str],
        paths: Collection[str],
    ) -> None:
        self.host: dict[str, Content | None] = {}
        self.inside: dict[str, Content | None] = {}
        self._sides = (host, inside)
        self._agreed, self._policy, self._why_no_link = agreed, policy, why_no_link
        self._shut = _Shut(host, inside)
        self._paths = sorted(paths, key=order)
        self._keys = [order(path) for path in self._paths]
        self._names = Names(reading, (host.entries, host.excluded, host.unknown))
        self._changes: dict[str, Content | None] = {}
        self._stays = self._shut.reasons(host, inside)
        self._conflicts: list[Conflict] = []
        self._asides: list[Step] = []
        self._marked: list[Stay] = []

    def comparison(self) -> Comparison:
        host, inside = self._sides
        return Comparison(
            steps_of(host.entries, self.host),
            steps_of(inside.entries, self.inside, self._asides),
            self._changes,
            tuple(Stay(path, why) for path, why in self._stays.items()),
            tuple(self._conflicts),
            tuple(self._marked),
        )

    def remaining(self) -> dict[str, Content]:
        """What the host would have afterwards."""
        present = {path: entry.content for path, entry in self._sides[0].entries.items()}
        wanted = {**present, **self.host}
        return {path: content for path, content in wanted.items() if content is not None}

    @functools.cached_property
    def _heads(self) -> set[str]:
        """The folders with an entry that could be a repository's `HEAD`."""
        host, inside = self._sides
        paths = itertools.chain(host.entries, inside.entries)
        return {above(path) for path in paths if _could_be_head(path)}

    # -- each path, folders before what is in them

    def decide(self) -> None:
        whole: tuple[str, Verdict] | None = None
        for path in self._paths:
            if self._shut.has(path):
                # What was agreed before it was excluded is no reason to remove anything when it is not any more.
                if self._shut.is_excluded(path) and path in self._agreed:
                    self._changes[path] = None
                continue
            if whole is not None and path.startswith(f"{whole[0]}/"):
                self._put(path, whole[1])
                continue
            host, inside, agreed = self._contents(path)
            whole = None
            if host is not None and inside is not None and _is_clash(host, inside):
                whole = (path, self._verdict_of_tree(path))
                self._put(path, whole[1])
            else:
                self._put(path, self._verdict_of_path(path, host, inside, agreed))

    def _contents(self, path: str) -> tuple[Content | None, Content | None, Content | None]:
        host, inside = self._sides
        return host.content(path), inside.content(path), self._agreed.get(path)

    def _put(self, path: str, verdict: Verdict) -> None:
        host, inside, agreed = self._contents(path)
        if host == inside and agreed != host:
            self._changes[path] = host
        if verdict is Verdict.OUT and host != inside and (rule := self._rule(path)).is_marked:
            self._marked.append(Stay(path, rule.why))
        self.host[path] = inside if verdict is Verdict.OUT else host
        self.inside[path] = inside if verdict in (Verdict.OUT, Verdict.STAYS) else host

    def _verdict_of_path(
        self, path: str, host: Content | None, inside: Content | None, agreed: Content | None
    ) -> Verdict:
        verdict = verdict_of(host, inside, agreed)
        if verdict is Verdict.SAME:
            return verdict
        rule = self._rule(path)
        why = rule.why if NEEDS[verdict] not in rule.flow else ""
        if not why and verdict is Verdict.OUT:
            why = self._why_not_out(path)
        if not why and verdict is Verdict.CONFLICT:
            why = self._put_aside(path)
        if why:
            self._stays[path] = why
            return Verdict.STAYS
        return verdict

    def _rule(self, path: str) -> Rule:
        contents = [content for content in self._contents(path) if content is not None]
        is_folder = any(content.kind is Kind.FOLDER for content in contents)
        # All paths are looked through for a `HEAD`, and of few it decides anything.
        is_beside_head = could_matter_beside_head(path) and above(path) in self._heads
        return self._policy.rule(path, is_folder, is_beside_head=is_beside_head)

    def _why_not_out(self, path: str) -> str:
        """Why the sandbox's state of `path` is not the host's, '' where it can be."""
        host, inside, _ = self._contents(path)
        if inside is None:
            return ""
        if inside.kind is not Kind.FOLDER and self._policy.named.is_above(path):
            return WHY_ABOVE
        if host is None:
            # A folder that both removed comes back where something new is in it.
            missing = [path]
            while (folder := above(missing[-1])) and self.host.get(folder) is None:
                if folder in self._stays:
                    return _FOLDER_STAYS
                missing.append(folder)
            for each in reversed(missing):
                if why := self._names.reason_against(each):
                    return why
        return self._why_no_link(path, inside.text) if inside.kind is Kind.LINK else ""

    # -- a folder on one side and something else on the other: one verdict for it and all in it

    def _verdict_of_tree(self, path: str) -> Verdict:
        paths = list(self._below(path))
        if not self._is_changed(0, paths):
            verdict = Verdict.OUT
        elif not self._is_changed(1, paths):
            verdict = Verdict.IN
        else:
            verdict = Verdict.CONFLICT
        why = self._why_not_whole(paths, verdict)
        if not why and verdict is Verdict.CONFLICT:
            why = self._put_aside(path)
        if why:
            self._stays[path] = why
            return Verdict.STAYS
        return verdict

    def _below(self, path: str) -> Iterator[str]:
        """`path`, and every path below it."""
        at = bisect.bisect_left(self._keys, order(path))
        while at < len(self._paths) and f"{self._paths[at]}/".startswith(f"{path}/"):
            yield self._paths[at]
            at += 1

    def _is_changed(self, side: int, paths: Iterable[str]) -> bool:
        """Whether a side has something else at `paths` than was agreed, or something there that nothing is known of."""
        snapshot, other = self._sides[side], self._sides[1 - side]
        for path in paths:
            content = snapshot.content(path)
            # What both removed is no change of either.
            is_same = content == self._agreed.get(path) or content == other.content(path)
            if not is_same or path in self._shut.pinned[side]:
                return True
        return False

    def _why_not_whole(self, paths: Iterable[str], verdict: Verdict) -> str:
        """Why a verdict is not carried out at all of `paths`, '' where it can be."""
        for path in paths:
            host, inside, _ = self._contents(path)
            if (
                self._shut.has(path)
                or (host if verdict is Verdict.CONFLICT else host or inside) is None
            ):
                continue
            rule = self._rule(path)
            if NEEDS[verdict] not in rule.flow:
                return rule.why
            if verdict is Verdict.OUT and (why := self._why_not_out(path)):
                return why
        return ""

    # -- conflicts

    def _put_aside(self, path: str) -> str:
        """Have the sandbox's version of `path` renamed; returns why it cannot be, '' where it can."""
        name = path.rpartition("/")[2]
        folder, mark, number = path[: -len(name)], self._mark(path), 1
        while self._is_taken(folder + (new := aside(name, mark, number))):
            number += 1
        if len(os.fsencode(new)) > LONGEST_NAME:
            self._conflicts.append(Conflict(path, ""))
            return "both sides changed it, and its name is too long to keep both"
        self._conflicts.append(Conflict(path, folder + new))
        self._asides.append(Step(Act.ASIDE, path, self._sides[1].entries[path], name=new))
        return ""

    def _mark(self, path: str) -> str:
        digest = hashlib.sha256()
        for each in self._below(path):
            content = self._sides[1].content(each)
            if content is not None:
                digest.update(ascii((each, content.kind.value, *content[1:])).encode())
        return digest.hexdigest()[:8]

    def _is_taken(self, path: str) -> bool:
        return path in self._agreed or any(
            path in side.entries or path in side.excluded or path in side.unknown
            for side in self._sides
        )

    # -- folders that something is wanted in

    def complete(self) -> None:
        """Want each folder in which something is wanted, on the side where it is."""
        moved = {step.path for step in self._asides}
        for wanted, pinned in zip((self.host, self.inside), self._shut.pinned, strict=True):
            needed = {path for path in pinned if wanted is self.host or not is_within(path, moved)}
            for path in reversed(self._paths):
                if path not in wanted:
                    continue
                if wanted[path] is None and path in needed:
                    wanted[path] = FOLDER
                if wanted[path] is not None:
                    needed.add(above(path))


class _Shut:
    """Paths at and below which nothing is done, since a side excludes them or cannot be read there."""

    def __init__(self, host: Snapshot, inside: Snapshot) -> None:
        self._excluded = host.excluded | inside.excluded
        self._paths = self._excluded | host.unknown.keys() | inside.unknown.keys()
        self._folders: dict[str, bool] = {"": False}
        self.pinned = tuple(
            {folder for path in (*side.excluded, *side.unknown) for folder in folders_above(path)}
            for side in (host, inside)
        )
        """The folders of each side, host and inside, that have such paths in them."""

    def has(self, path: str) -> bool:
        return path in self._paths or self._is_below(above(path))

    def _is_below(self, folder: str) -> bool:
        if folder not in self._folders:
            missing = [folder]
            while (up := above(missing[-1])) not in self._folders:
                missing.append(up)
            for each in reversed(missing):
                self._folders[each] = each in self._paths or self._folders[above(each)]
        return self._folders[folder]

    @staticmethod
    def reasons(host: Snapshot, inside: Snapshot) -> dict[str, str]:
        """Why nothing is done at paths that one side has and the other cannot have, or of which nothing is known."""
        reasons = {path: _OTHER_KIND for path in host.excluded if path in inside.entries}
        reasons |= {path: _OTHER_KIND for path in inside.excluded if path in host.entries}
        return {**reasons, **inside.unknown, **host.unknown}

    def is_excluded(self, path: str) -> bool:
        """Whether the policy is the reason."""
        return is_within(path, self._excluded)


def _is_clash(host: Content, inside: Content) -> bool:
    return (host.kind is Kind.FOLDER) is not (inside.kind is Kind.FOLDER)


def _could_be_head(path: str) -> bool:
    name = path.rpartition("/")[2]
    # Most names are looked at no further.
    return (name[:1] in "hH" or not name.isascii()) and is_head(path)
