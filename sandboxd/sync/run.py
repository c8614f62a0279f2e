"""Makes two sides equal: scans both, compares, and applies the result, until nothing is left to do."""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Iterable, Mapping
from typing import NamedTuple, Protocol

from sandboxd.plan.named_paths import folders_above
from sandboxd.sync.apply import Skip, Source
from sandboxd.sync.compare import Comparison, Conflict, compare
from sandboxd.sync.flows import Policies, Policy, decides_of_others
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.state import Content, Snapshot
from sandboxd.sync.steps import Act, Side, Step
from sandboxd.sync.stops import Reason, Roots, Stop

_GONE = (FileNotFoundError, NotADirectoryError)
_MOST_PASSES = 20
_MOST_POLICIES = 5
"""Looks at the host until the policy that its files make is the one of the look, at most."""


class Rest(enum.Enum):
    """How a run ended."""

    SAME = "both sides are the same, but for what stays"
    HELD_UP = "what is left to do cannot be done"
    BUSY = "a side changes as fast as it is compared"
    STOPPED = "nothing was done"


class Report(NamedTuple):
    """The result of a run.

    :ivar last: the last comparison
    :ivar conflicts: the conflicts of all comparisons
    :ivar skips: the steps of the last pass that could not be done, with the reasons
    :ivar done: the number of steps that were done
    :ivar inside: the last look at the side inside; None if there was none
    """

    rest: Rest
    last: Comparison
    conflicts: tuple[Conflict, ...] = ()
    skips: tuple[Skip, ...] = ()
    done: int = 0
    inside: Snapshot | None = None


class InsideSide(Protocol):
    """The side inside: a folder of this machine (`local.LocalSide`), or one behind a reporter (`remote.RemoteSide`)."""

    def scan(self, excludes: Callable[[str, bool], bool], /) -> Snapshot:
        """Return its present state.

        :raises FileNotFoundError: the folder does not exist
        :raises OSError: it cannot be read
        """

    def source(self) -> Source:
        """The functions with which the other side reads from it."""

    def apply(self, steps: Iterable[Step], source: Source) -> tuple[Skip, ...]:
        """Do `steps` with content from `source`; return those that were not done."""

    def save_stamps(self) -> None:
        """Have a later start read those files alone that changed since, where it is worth that."""

    def recover(self, leftovers: Iterable[str]) -> None:
        """Have nothing left of what a killed run left at the paths `leftovers`, and nothing lost."""


def keep_the_same(
    host: LocalSide,
    inside: InsideSide,
    journal: Journal,
    policies: Policies,
    *,
    allowed: Container[str] = frozenset(),
    between: Callable[[], None] = lambda: None,
) -> Report:
    """Compare both sides and apply the result, until nothing is left to do or a side keeps changing.

    :param allowed: paths that may be removed on the host, because the user agreed
    :param between: called after each scan, before anything is done
    :raises SandboxdError: the journal cannot be written, or a side's folder vanishes
    :raises OSError: a folder of ours cannot be created, or a side's cannot be read
    """
    conflicts: list[Conflict] = []
    skips: tuple[Skip, ...] = ()
    comparison, done = Comparison(), 0
    side_inside: Snapshot | None = None
    sent: dict[str, Content | None] = {}
    for _ in range(_MOST_PASSES):
        looked = _look(host, inside, policies)
        if looked is None:
            return Report(Rest.BUSY, comparison, tuple(conflicts), skips, done, side_inside)
        if isinstance(looked, Stop):
            return Report(Rest.STOPPED, Comparison(stop=looked), tuple(conflicts), skips, done)
        side_inside = looked.inside
        if sent and journal.roots is not None:
            journal.update(_confirmed(sent, looked.inside), journal.roots)
        comparison = _compare(host, looked, journal, allowed)
        between()
        if comparison.stop is not None:
            return Report(Rest.STOPPED, comparison, tuple(conflicts), skips, done, side_inside)
        roots = Roots(looked.host.root, looked.inside.root)
        journal.update(comparison.agreed, roots)
        conflicts += comparison.conflicts
        if not comparison.host and not comparison.inside:
            return Report(Rest.SAME, comparison, tuple(conflicts), (), done, side_inside)
        before = skips
        of_host, skips = _apply_to_host(host, comparison.host, inside.source())
        journal.update(_common(of_host, skips), roots)
        if allowed:
            host.agree()
        more = inside.apply(comparison.inside, host.source())
        sent = _common(comparison.inside, more)
        skips += more
        steps = len(of_host) + len(comparison.inside)
        done += steps - len(skips)
        if steps == len(skips) and skips == before:
            return Report(Rest.HELD_UP, comparison, tuple(conflicts), skips, done, side_inside)
    return Report(Rest.BUSY, comparison, tuple(conflicts), skips, done, side_inside)


def put_back(host: LocalSide, inside: InsideSide, journal: Journal, policies: Policies) -> None:
    """Forget the common state of paths that one side lacks, so that the next run restores them from the other.

    :raises SandboxdError: the journal cannot be written
    :raises OSError: a side cannot be read, or its folder does not exist
    """
    if journal.roots is None:
        return
    excludes = policies.of(None).excludes
    snapshots = [host.scan(excludes), inside.scan(excludes)]
    missing = {
        path: None
        for path in journal.agreed
        if any(path not in snapshot.entries for snapshot in snapshots)
    }
    journal.update(missing, journal.roots)


class _Looked(NamedTuple):
    """Both sides as they are, and the policy that the host's files make."""

    policy: Policy
    host: Snapshot
    inside: Snapshot


def _look(host: LocalSide, inside: InsideSide, policies: Policies) -> _Looked | Stop | None:
    """Both sides as they are, without what an earlier run left in them; None where the policy changes all the time.

    :raises SandboxdError: a side cannot be read
    :raises OSError: a side cannot be read, while its folder is there
    """
    try:
        of_host = _look_at_host(host, policies)
    except _GONE:
        return Stop(Reason.MISSING, Side.HOST)
    if of_host is None:
        return None
    policy, snapshot = of_host
    try:
        of_inside = inside.scan(policy.excludes)
    except _GONE:
        return Stop(Reason.MISSING, Side.INSIDE)
    inside.recover(of_inside.leftovers)
    return _Looked(policy, snapshot, of_inside)


def _look_at_host(host: LocalSide, policies: Policies) -> tuple[Policy, Snapshot] | None:
    """The host's side, and the policy by which it was looked at; None where its ignore files change all the time."""
    policy = policies.of(None)
    for _ in range(_MOST_POLICIES):
        snapshot = host.scan(policy.excludes)
        host.recover(snapshot.leftovers)
        before, policy = policy, policies.of(snapshot)
        if policy is before:
            return policy, snapshot
    return None


def _apply_to_host(
    host: LocalSide, steps: tuple[Step, ...], source: Source
) -> tuple[tuple[Step, ...], tuple[Skip, ...]]:
    """Do `steps`; where some change the policy for other paths, those alone, so that the next pass has it.

    :return: the steps that were tried, and those of them that could not be done
    """
    needed = {step.path for step in steps if decides_of_others(step.path)}
    needed.update(*map(folders_above, needed))
    first = tuple(step for step in steps if step.path in needed)
    skips = host.apply(first, source)
    if len(skips) < len(first):
        return first, skips
    rest = [step for step in steps if step.path not in needed]
    return (*first, *rest), skips + host.apply(rest, source)


def _common(steps: Iterable[Step], skips: Iterable[Skip]) -> dict[str, Content | None]:
    """The content that both sides had at the moment of each step that was done.

    What either side makes of it from then on is a change of that side alone, and no conflict.
    """
    common = {step.path: step.after for step in steps if step.act is not Act.ASIDE}
    for skip in skips:
        common.pop(skip.step.path, None)
    return common


def _confirmed(sent: Mapping[str, Content | None], inside: Snapshot) -> dict[str, Content | None]:
    """What of `sent` is there: that a step was done, a program inside may say without having done it."""
    return {
        path: content
        for path, content in sent.items()
        if content is not None and inside.content(path) == content
    }


def _compare(
    host: LocalSide,
    looked: _Looked,
    journal: Journal,
    allowed: Container[str],
) -> Comparison:
    return compare(
        looked.host,
        looked.inside,
        journal.agreed,
        looked.policy,
        roots=journal.roots,
        reading=host.reading(),
        why_no_link=host.why_no_link,
        allowed=allowed,
        earlier=host.removed,
        changed=journal.differences(looked.host, looked.inside),
    )
