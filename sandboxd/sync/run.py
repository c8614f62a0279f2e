"""Makes two sides equal: scans both, compares, and applies the result, until nothing is left to do."""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple, Protocol

from sandboxd.errors import SandboxdError
from sandboxd.sync.apply import Skip, Source
from sandboxd.sync.checked import checked
from sandboxd.sync.compare import Comparison, Conflict, compare
from sandboxd.sync.flows import Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.state import Snapshot
from sandboxd.sync.steps import Side, Step
from sandboxd.sync.stops import Reason, Roots, Stop

_MOST_PASSES = 20


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
    """

    rest: Rest
    last: Comparison
    conflicts: tuple[Conflict, ...] = ()
    skips: tuple[Skip, ...] = ()
    done: int = 0


class InsideSide(Protocol):
    """The side inside: a folder of this machine (`local.LocalSide`), or one behind a reporter (`remote.RemoteSide`)."""

    def scan(self, excludes: Callable[[str, bool], bool], /) -> Snapshot:
        """Return its present state.

        :raises SandboxdError: the folder does not exist
        :raises OSError: it cannot be read
        """

    def source(self) -> Source:
        """The functions with which the other side reads from it."""

    def apply(self, steps: Iterable[Step], source: Source) -> tuple[Skip, ...]:
        """Do `steps` with content from `source`; return those that were not done."""

    def recover(self, leftovers: Iterable[str]) -> None:
        """Have nothing left of what a killed run left at the paths `leftovers`, and nothing lost."""


def keep_the_same(
    host: LocalSide,
    inside: InsideSide,
    journal: Journal,
    policy: Policy,
    *,
    allowed: Container[str] = frozenset(),
    between: Callable[[], None] = lambda: None,
) -> Report:
    """Compare both sides and apply the result, until nothing is left to do or a side keeps changing.

    :param allowed: paths that may be removed on the host, because the user agreed
    :param between: called after each scan, before anything is done
    :raises SandboxdError: the journal cannot be written, or a side's folder vanishes
    :raises OSError: a folder of ours cannot be created, or the host's cannot be read
    """
    conflicts: list[Conflict] = []
    skips: tuple[Skip, ...] = ()
    comparison, done = Comparison(), 0
    for _ in range(_MOST_PASSES):
        snapshots = _look(host, inside, policy)
        if isinstance(snapshots, Stop):
            return Report(Rest.STOPPED, Comparison(stop=snapshots), tuple(conflicts), skips, done)
        comparison = _compare(host, snapshots, journal, policy, allowed)
        between()
        if comparison.stop is not None:
            return Report(Rest.STOPPED, comparison, tuple(conflicts), skips, done)
        roots = Roots(snapshots[0].root, snapshots[1].root)
        journal.update(comparison.agreed, roots)
        conflicts += comparison.conflicts
        if not comparison.host and not comparison.inside:
            return Report(Rest.SAME, comparison, tuple(conflicts), (), done)
        before, skips = skips, host.apply(comparison.host, inside.source())
        skips += inside.apply(comparison.inside, host.source())
        steps = len(comparison.host) + len(comparison.inside)
        done += steps - len(skips)
        if steps == len(skips) and skips == before:
            return Report(Rest.HELD_UP, comparison, tuple(conflicts), skips, done)
    return Report(Rest.BUSY, comparison, tuple(conflicts), skips, done)


def put_back(host: LocalSide, inside: InsideSide, journal: Journal, policy: Policy) -> None:
    """Forget the common state of paths that one side lacks, so that the next run restores them from the other.

    :raises SandboxdError: the journal cannot be written, or a side's folder does not exist
    :raises OSError: a side cannot be read
    """
    if journal.roots is None:
        return
    snapshots = [host.scan(policy.excludes), inside.scan(policy.excludes)]
    missing = {
        path: None
        for path in journal.agreed
        if any(path not in snapshot.entries for snapshot in snapshots)
    }
    journal.update(missing, journal.roots)


def _look(host: LocalSide, inside: InsideSide, policy: Policy) -> tuple[Snapshot, Snapshot] | Stop:
    """Both sides as they are, without what an earlier run left in them."""
    snapshots = []
    sides: tuple[tuple[InsideSide, Side], ...] = ((host, Side.HOST), (inside, Side.INSIDE))
    for side, name in sides:
        try:
            snapshot = side.scan(policy.excludes)
            side.recover(snapshot.leftovers)
        except (SandboxdError, OSError):
            return Stop(Reason.MISSING, name)
        snapshots.append(snapshot)
    return snapshots[0], checked(snapshots[1])


def _compare(
    host: LocalSide,
    snapshots: tuple[Snapshot, Snapshot],
    journal: Journal,
    policy: Policy,
    allowed: Container[str],
) -> Comparison:
    return compare(
        *snapshots,
        journal.agreed,
        policy,
        roots=journal.roots,
        reading=host.reading(),
        why_no_link=host.why_no_link,
        allowed=allowed,
    )
