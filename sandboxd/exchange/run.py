"""One exchange between the host's repository and a sandbox's own git directory, in both directions.

First objects are fetched, then refs below `refs/sandboxd` on the host keep them, then the host's own refs move, then
those inside. What both sides have at the end is recorded as agreed. Every step compares before it writes, so the next
exchange continues one that was interrupted.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.exchange import (
    acting_refs,
    agreed,
    copying,
    facts,
    host_git,
    index_file,
    objects,
    old_refs,
    on_host,
    own_refs,
    packed_refs,
    ref_names,
    shut_paths,
    to_host,
    to_inside,
)
from sandboxd.exchange.acting_refs import Waiting
from sandboxd.exchange.difference import (
    Facts,
    Held,
    Move,
    Reason,
    Steps,
    difference,
    limited,
)
from sandboxd.exchange.sides import host_side, inside_side, largest_index, of_commits
from sandboxd.exchange.state import Agreed, Mounts, Shut
from sandboxd.file_lock import LockTimeout, locked
from sandboxd.model.sandbox_id import of_name
from sandboxd.plan import beneath

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.objects import Transfer
    from sandboxd.exchange.place import Place, Repository

_MOST_HAVE = 2_000


class Problem(enum.Enum):
    """Why an exchange did not take place, or only in part."""

    NO_GIT = "this machine has no git"
    NOT_STARTED = "the sandbox has no git directory of its own yet"
    UNREADABLE = "one of the git directories cannot be read"
    FAILED = "git on the host failed"
    BUSY = "another exchange of commits with this sandbox is under way"
    OPEN = "the host replaced something that is shut inside, which took its mount away"


class Patience(NamedTuple):
    """How long an exchange waits for another one that is under way.

    `seconds` is the limit, None for none; `before_wait` is called when it has to wait.
    """

    seconds: float | None = None
    before_wait: Callable[[], None] | None = None


class Outcome(NamedTuple):
    """What an exchange did.

    `brought` are the refs of the host that moved, `given` those of the sandbox; `host_followed` and `inside_followed`
    tell whether that side's HEAD or index changed. `waiting` are commits that the host did not take, `stays` refs of
    the host that the sandbox did not get. `stashes` counts the stashes of the sandbox that the host holds refs of;
    tools on the host would act on the `acting` ones once somebody applies them. `refused` counts refs of the sandbox
    whose name git does not allow, `over` those beyond `difference.MOST_NEW`. `why` and `hint` explain `problem`, or
    else why commits could not be fetched; '' for none.
    """

    brought: tuple[Move, ...] = ()
    given: tuple[Move, ...] = ()
    host_followed: bool = False
    inside_followed: bool = False
    waiting: tuple[Waiting, ...] = ()
    stays: tuple[Held, ...] = ()
    stashes: int = 0
    acting: tuple[Waiting, ...] = ()
    refused: int = 0
    over: int = 0
    problem: Problem | None = None
    why: str = ""
    hint: str = ""

    @property
    def moved(self) -> bool:
        """Whether anything was changed on either side."""
        return bool(self.brought or self.given or self.host_followed or self.inside_followed)


_ENDLESS = Patience()
_OPEN = "`sandboxd status` says what, and how to go on"
_LATER = "they stay in the sandbox's git directory: they pass when it ended, or at the next `sandboxd up`"


def _unseen() -> Mounts:
    return Mounts.UNSEEN


def exchange(
    repository: Repository,
    place: Place,
    sandbox: str,
    transfer: Transfer | None,
    patience: Patience = _ENDLESS,
    *,
    shut: Collection[str] = (),
    mounts: Callable[[], Mounts] = _unseen,
) -> Outcome:
    """Exchange once, after another exchange that is under way.

    Failures are not raised; the outcome has them as its `problem`.

    :param sandbox: the name of the sandbox, '' for the unnamed one
    :param transfer: writes packs inside; None where nothing runs inside, so that no commits come from there
    :param shut: paths in the workspace that are read-only inside; '' stands for the whole workspace
    :param mounts: looks whether their mounts are there: nothing passes while one is lost
    """
    if not os.path.isdir(place.inside):
        return _problem(Problem.NOT_STARTED)
    if not host_git.is_installed():
        return _problem(
            Problem.NO_GIT, hint="install git on the host: commits stay inside until then"
        )
    try:
        with (
            locked(place.lock, patience.before_wait, seconds=patience.seconds),
            host_git.opened(repository, place) as host,
        ):
            to_host.take_up(host, _message(sandbox))
            old_refs.bring_over(host, place, sandbox)
            return _Exchange(host, place, sandbox, transfer, shut, mounts).run()
    except LockTimeout:
        return _problem(Problem.BUSY, hint=_LATER)
    except host_git.CannotRun as error:
        return _problem(Problem.FAILED, error.message, error.hint)
    except (SandboxdError, OSError) as error:
        hint = error.hint if isinstance(error, SandboxdError) else ""
        return _problem(Problem.UNREADABLE, str(error), hint)


def _problem(problem: Problem, why: str = "", hint: str = "") -> Outcome:
    return Outcome(problem=problem, why=why or problem.value, hint=hint)


class _Exchange:
    """One exchange, with the lock held."""

    def __init__(
        self,
        host: HostGit,
        place: Place,
        sandbox: str,
        transfer: Transfer | None,
        shut: Collection[str],
        mounts: Callable[[], Mounts],
    ) -> None:
        self._host = host
        self._place = place
        self._sandbox = sandbox
        self._transfer = transfer
        self._mounts = mounts
        self._shut = Shut(shut)
        self._owner = on_host.owner_of(host, sandbox)
        self._agreed = agreed.read(place.agreed)
        # The sandbox first: what it follows of the host is compared again when it is written.
        self._most_packed = packed_refs.largest_beside(host.repository.common)
        self._largest_index = largest_index(host.repository.own)
        self._inside = inside_side(place, host.sha256, self._largest_index, self._most_packed)
        self._ours = host_side(host)
        self._inside, self._over = limited(self._agreed, self._ours, self._inside)
        self._unsound: dict[str, EnvironmentFailure] = {}
        self._stashes = own_refs.stashes(place.inside, self._inside.tip(ref_names.STASH))

    def run(self) -> Outcome:
        before = self._mounts()
        if before is Mounts.LOST:
            return _problem(Problem.OPEN, hint=_OPEN)
        self._shut = self._shut._replace(is_held=before is Mounts.HELD)
        missing = self._bring()
        self._inside = of_commits(self._host, self._inside, self._ours, missing)
        # First, so that whoever takes what waits knows it in any case.
        shut_paths.write(self._place.shut, self._shut.paths)
        gathered = facts.gather(
            self._host, self._agreed, self._ours, self._inside, missing, self._shut
        )
        # A lost mount does not come back: one that is there now was there when the files were read.
        if self._mounts() is not before:
            return _problem(Problem.OPEN, hint=_OPEN)
        steps = difference(self._agreed, self._ours, self._inside, gathered)
        steps = steps._replace(waits=tuple(h for h in steps.waits if not self._has_elsewhere(h)))
        waiting = self._hold(steps, gathered)
        brought = to_host.apply(
            self._host, self._ours, steps.to_host, steps.host_checkout, _message(self._sandbox)
        )
        given = self._give(steps)
        agreed.write(self._place.agreed, self._agree(brought, given))
        if brought.moves or brought.failed:
            waiting = self._hold(steps, gathered, brought.failed)
        outcome = self._outcome(steps, waiting, brought, given, gathered)
        acting = acting_refs.of_waiting((*outcome.waiting, *outcome.acting))
        acting_refs.write(self._place.acting, acting, waiting)
        return outcome

    def _bring(self) -> frozenset[str]:
        """Bring the objects of the sandbox; returns the ids of which the host has none after that."""
        wanted = [*self._tips().values(), *self._stashes]
        ids = {oid for oid in wanted if oid}
        missing = objects.missing(self._host, ids)
        missing |= objects.unfinished(self._host, ids - missing)
        if self._transfer is None or not missing:
            return missing
        have = objects.bounds(
            [self._ours.commit, *self._agreed.refs.values(), *self._ours.refs.ids.values()],
            _MOST_HAVE,
        )
        have = sorted(set(have) - objects.missing(self._host, have))
        self._unsound = objects.bring(self._host, self._transfer, sorted(missing), have)
        return frozenset(self._unsound)

    def _has_elsewhere(self, held: Held) -> bool:
        """Whether the host has the commit under another name, where only its ref's name is not for the host."""
        return held.reason in (Reason.HIDES, Reason.SHELL) and on_host.has(self._host, held.oid)

    def _tips(self) -> dict[str, str]:
        """What the sandbox has that could be lost: branches, tags and a HEAD on no branch, by name."""
        tips = {
            name: oid
            for name, oid in self._inside.refs.ids.items()
            if name.startswith((ref_names.HEADS, ref_names.TAGS)) and self._ours.tip(name) != oid
        }
        if self._inside.head.commit:
            tips["HEAD"] = self._inside.head.commit
        return tips

    def _hold(self, steps: Steps, gathered: Facts, failed: tuple[Held, ...] = ()) -> dict[str, str]:
        """Write our refs on the host; returns those of commits that wait."""
        wanted = {
            held.name: held.oid
            for held in (*steps.waits, *failed)
            if held.oid and held.oid not in gathered.missing
        }
        known = set(own_refs.stashes(self._host.repository.common, self._ours.tip(ref_names.STASH)))
        for number, oid in enumerate(self._stashes):
            if oid not in known and oid not in gathered.missing:
                wanted[f"{ref_names.STASH}/{number}"] = oid
        waiting = on_host.write_waiting(self._host, self._sandbox, wanted)
        logged = own_refs.logged(self._place.inside)
        on_host.hold(self._host, self._sandbox, self._inside, self._ours, logged)
        return waiting

    def _give(self, steps: Steps) -> to_host.Done:
        if not steps.to_inside and steps.inside_checkout is None:
            return to_host.Done()
        index = None
        if steps.inside_checkout is not None:
            index = index_file.read(self._host.repository.own, self._host.sha256)
        owner = copying.owner_of(self._host.repository.workspace)
        with beneath.open_folder(self._place.inside) as root:
            target = to_inside.Target(
                root,
                self._place.inside,
                owner,
                self._host.sha256,
                self._largest_index,
                self._most_packed,
            )
            checkout = steps.inside_checkout
            return to_inside.apply(target, self._inside, steps.to_inside, checkout, index)

    def _agree(self, brought: to_host.Done, given: to_host.Done) -> Agreed:
        """What both sides have now; where they differ it stays what it was."""
        refs = dict(self._agreed.refs)
        for name in {*refs, *self._ours.refs.ids, *self._inside.refs.ids}:
            if self._ours.tip(name) == self._inside.tip(name) and ref_names.is_exchanged(name):
                _set(refs, name, self._ours.tip(name))
        for move in (*brought.moves, *given.moves):
            _set(refs, move.name, move.new)
        new = {move.name for move in brought.moves if not move.old}
        from_inside = frozenset(
            name for name in self._agreed.from_inside | new if name in new or self._ours.tip(name)
        )
        head, index = self._agreed.head, self._agreed.staged
        if self._ours.head == self._inside.head:
            head = self._ours.head
        if self._ours.staged == self._inside.staged:
            index = self._ours.staged
        if brought.checkout:
            head, index = self._inside.head, brought.staged
        if given.checkout:
            head, index = self._ours.head, self._ours.staged
        return Agreed(refs, head, index, from_inside, self._owner)

    def _acting_stashes(self, waiting: Mapping[str, str], below: str) -> tuple[Waiting, ...]:
        """Those stashes of which the host has refs, below `below`, that tools there would act on.

        A branch of the sandbox that has the same commit hides none of them.
        """
        refs = {oid: ref for ref, oid in waiting.items() if ref.startswith(below)}
        present = [oid for oid in self._stashes if oid in refs]
        acts = facts.of_stashes(self._host, present, self._ours, self._shut)
        return tuple(
            Waiting(tip.name, refs[tip.oid], tip.oid, act.reason, act.paths)
            for tip, act in sorted(acts.items())
        )

    def _paths(self, held: Held, gathered: Facts) -> tuple[str, ...]:
        of_checkout = gathered.checkout if held.name in ("HEAD", self._inside.head.branch) else None
        paths = gathered.paths(held.name, held.oid)
        if paths or of_checkout is None or held.reason is not of_checkout.reason:
            return paths
        return of_checkout.paths

    def _outcome(
        self,
        steps: Steps,
        waiting: Mapping[str, str],
        brought: to_host.Done,
        given: to_host.Done,
        gathered: Facts,
    ) -> Outcome:
        refs = {oid: ref for ref, oid in waiting.items()}
        held = [
            Waiting(
                h.name,
                "" if h.oid in gathered.missing else refs.get(h.oid, ""),
                h.oid,
                h.reason,
                self._paths(h, gathered),
            )
            for h in (*steps.waits, *brought.failed)
        ]
        stash = f"{ref_names.below(self._owner)}stash/"
        return Outcome(
            brought.moves,
            given.moves,
            brought.checkout,
            given.checkout,
            tuple(held),
            (*steps.stays, *given.failed),
            sum(ref.startswith(stash) for ref in waiting),
            self._acting_stashes(waiting, stash),
            self._inside.refs.refused,
            self._over,
            why="; ".join(dict.fromkeys(error.message for error in self._unsound.values())),
            hint=next((error.hint for error in self._unsound.values()), ""),
        )


def _message(sandbox: str) -> str:
    """What the logs of the host's refs say of a move."""
    return f"sandboxd: from the {of_name(sandbox)}"


def _set(refs: dict[str, str], name: str, oid: str) -> None:
    if oid:
        refs[name] = oid
    else:
        refs.pop(name, None)
