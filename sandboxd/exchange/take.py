"""Takes commits of a sandbox that wait on the host: by a fast-forward where possible, else by a merge without a work
tree.

Sandbox and host share the work tree, so `git merge` would refuse to overwrite the files that are there. Here only
branch, HEAD and index move, by compare-and-swap; the files stay, and most often they are the merge's result already.
"""

from __future__ import annotations

import contextlib
import enum
import os
import shlex
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange import (
    facts,
    host_git,
    objects,
    old_refs,
    on_host,
    ref_names,
    shut_paths,
    to_host,
    words,
)
from sandboxd.exchange.acts import acts_of
from sandboxd.exchange.difference import Acts, Checkout, Held, Move, Reason, Tip
from sandboxd.exchange.ref_names import HEADS, TAGS
from sandboxd.exchange.sides import host_side
from sandboxd.exchange.state import Head, Shut
from sandboxd.file_lock import LockTimeout, locked
from sandboxd.model.sandbox_id import of_name
from sandboxd.screen import first_of

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.place import Place, Repository

_NO_SUCH_OPTION = 129
_FROM = "from-sandbox/"
"""What is put before a name that would hide another."""
_MOST_NAMED = 3
_LOCK_SECONDS = 30.0


class How(enum.Enum):
    """How commits were taken."""

    PRESENT = "the host has it already"
    FORWARD = "moved forward"
    MERGED = "merged"
    NEW = "a new branch or tag"


class Take(NamedTuple):
    """Commits that were taken.

    `ref` is where they waited; `into` the ref of the host that has them now, 'HEAD' for a detached one. `acting` are
    the changed paths on which tools of the host act.
    """

    ref: str
    into: str
    how: How
    acting: tuple[str, ...] = ()


class Stay(NamedTuple):
    """Commits that were not taken and still wait at `ref`: the reason, and the next step for the user.

    `tip` is the id of the commit where only the user's consent is missing; else ''.
    """

    ref: str
    why: str
    hint: str
    tip: str = ""


class Took(NamedTuple):
    """The result of taking commits over from a sandbox's git directory: those that were taken, and those that were not,
    each with its reason.

    `checked_out` is True if the branch moved that the host's work tree is on.
    """

    takes: tuple[Take, ...] = ()
    stays: tuple[Stay, ...] = ()
    checked_out: bool = False


class _NotNow(Exception):
    """The reason for which something is not taken, and the next step; `tip` is as of `Stay`."""

    def __init__(self, why: str, hint: str, tip: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self.tip = tip


def waiting(repository: Repository, place: Place, sandbox: str) -> dict[str, str]:
    """The ids of the commits of `sandbox` that wait on the host, by the name of their ref below
    `refs/sandboxd/OWNER/`.

    :param sandbox: its name, '' for the unnamed one
    :raises SandboxdError: as `take`
    :raises OSError: as `take`
    """
    with _opened(repository, place, sandbox) as (_, refs):
        return {name: oid for name, (_, oid) in refs.items()}


def take(
    repository: Repository,
    place: Place,
    sandbox: str,
    names: Sequence[str],
    shown: Mapping[str, str],
    *,
    acting: bool = False,
    identity: Mapping[str, str] | None = None,
) -> Took:
    """Take commits of `sandbox` that wait on the host; each ref as a whole, or not at all.

    :param sandbox: its name, '' for the unnamed one
    :param names: the names of their refs below `refs/sandboxd/OWNER/`; [] for every branch
    :param shown: the id that each ref had when the user looked at it, by such a name: no other commit is taken
    :param acting: also take commits on which tools of the host act: they change a nested repository, or files that
        were read-only inside
    :param identity: `user.name` and `user.email` for merge commits; None for none, so that git makes them up or fails
    :raises CannotRun: git fails, or this machine has none
    :raises EnvironmentFailure: an exchange is under way, and does not end soon
    :raises SandboxdError: the repository cannot be read
    :raises OSError: the repository cannot be read
    """
    with _opened(repository, place, sandbox) as (host, refs):
        chosen = names or [name for name, (ref, _) in refs.items() if not _is_asked_for(ref)]
        takes: list[Take] = []
        stays = [_unknown(name, refs) for name in chosen if name not in refs]
        checked_out = False
        for name in chosen:
            if name not in refs:
                continue
            ref = refs[name][0]
            one = _One(host, place, sandbox, ref, acting, identity or {})
            try:
                takes.append(one.take(shown.get(name, "")))
                checked_out = checked_out or one.is_checked_out
            except _NotNow as reason:
                stays.append(Stay(ref, reason.why, reason.hint, reason.tip))
        return Took(tuple(takes), tuple(stays), checked_out)


@contextlib.contextmanager
def _opened(
    repository: Repository, place: Place, sandbox: str
) -> Iterator[tuple[HostGit, dict[str, tuple[str, str]]]]:
    """Git on the host while no exchange is under way, and what waits: its ref and id, by its name."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(place.lock, seconds=_LOCK_SECONDS))
        except LockTimeout:
            raise EnvironmentFailure(
                "commits pass just now, and nothing is taken meanwhile", "run the command again"
            ) from None
        host = stack.enter_context(host_git.opened(repository, place))
        to_host.take_up(host, f"sandboxd: from the {of_name(sandbox)}")
        old_refs.bring_over(host, place, sandbox)
        yield (
            host,
            {
                ref_names.parts_of(ref)[1]: (ref, oid)
                for ref, oid in on_host.refs_of(host, sandbox).items()
                if ref_names.is_waiting(ref)
            },
        )


def _is_asked_for(ref: str) -> bool:
    """Whether it is taken by its name alone: a tag moves, and a HEAD on no branch has no place of its own."""
    name = ref_names.of_inside(ref)
    return name == "HEAD" or name.startswith(TAGS)


def _unknown(name: str, refs: Collection[str]) -> Stay:
    others = ", ".join(f"`{other}`" for other in sorted(refs)[:_MOST_NAMED])
    return Stay(name, "nothing of that name waits", f"what waits: {others}" if others else "")


class _One:
    """One ref that is to be taken."""

    def __init__(
        self,
        host: HostGit,
        place: Place,
        sandbox: str,
        ref: str,
        acting: bool,
        identity: Mapping[str, str],
    ) -> None:
        self._host = host
        self._who = f"the {of_name(sandbox)}"
        self._sandbox = sandbox
        self._ref = ref
        # What lies there now is no answer: nobody looks at the mounts meanwhile.
        self._shut = Shut(shut_paths.read(place.shut))
        self._acting = acting
        self._identity = identity
        self._ours = host_side(host)
        self._theirs = on_host.refs_of(host, sandbox)[ref]
        self._into = self._target(ref_names.of_inside(ref))
        self.is_checked_out = self._into in ("HEAD", self._ours.head.branch)

    def _target(self, name: str) -> str:
        """The host's ref that is to have the commits."""
        if name == "HEAD":
            return self._ours.head.branch or name
        if self._ours.tip(name) or name == self._ours.head.branch:
            return name
        if not ref_names.hides(name, ref_names.short_names(self._ours.refs.ids)):
            return name
        top = TAGS if name.startswith(TAGS) else HEADS
        return f"{top}{_FROM}{name.removeprefix(top)}"

    def take(self, shown: str) -> Take:
        """Take it.

        :param shown: the id of the tip that somebody looked at, '' for none
        :raises _NotNow: it cannot be taken, or is another one
        """
        acts = self._acts()
        if shown != self._theirs:
            raise self._moved(shown, acts)
        if acts is not None and not self._acting:
            # Before any way by hand is named: who goes it is to know what he takes.
            raise self._asks(acts)
        self._require_free()
        old = self._ours.commit if self.is_checked_out else self._ours.tip(self._into)
        new, how = self._result(old)
        if new != old:
            self._move(old, new)
        if on_host.has(self._host, self._theirs):
            to_host.move_refs(
                self._host, [Move(self._ref, self._theirs, "")], f"sandboxd: taken from {self._who}"
            )
        return Take(self._ref, self._into, how, acts.paths if acts is not None else ())

    def _require_free(self) -> None:
        if self._into in self._ours.elsewhere:
            raise _NotNow(Reason.ELSEWHERE.value, f"in that work tree: `git merge {self._ref}`")
        is_in_use = self.is_checked_out or self._into in self._ours.rewritten
        if is_in_use and self._ours.operation is not None:
            raise _NotNow(*_WORDS[Reason.HOST_BUSY])

    def _acts(self) -> Acts | None:
        tip = Tip(self._into, self._theirs)
        return acts_of(self._host, [tip], self._ours, self._shut).get(tip)

    def _asks(self, acts: Acts) -> _NotNow:
        """The refusal of what tools on the host would act on, with the command that takes it all the same."""
        paths = f": {words.named(acts.paths)}" if acts.paths else ""
        return _NotNow(
            f"{words.ACTS[acts.reason]}{paths}",
            f"{self._look_at(acts)} takes it all the same",
            self._theirs,
        )

    def _moved(self, shown: str, acts: Acts | None) -> _NotNow:
        """The refusal of a tip that nobody looked at, with the command that takes it after a look."""
        why = f"it was `{shown}` when it was looked at, and is `{self._theirs}` now"
        if not shown:
            why = f"it came while this command ran, as `{self._theirs}`"
        return _NotNow(why, f"{self._look_at(acts)} takes just that")

    def _look_at(self, acts: Acts | None) -> str:
        """How to see what is changed, hooks and other programs of the repository switched off, and then to take it.

        By its whole id: what is looked at is what is taken, and whoever wrote it chose how its id begins.
        """
        paths = acts.paths[:_MOST_NAMED] if acts is not None else ()
        within = " ".join(shlex.quote(words.printable(path)) for path in paths)
        diff = f"git diff --no-ext-diff --no-textconv HEAD...{self._theirs}"
        command = f"{words.take(self._ref)} --expect {self._theirs}"
        return (
            f"look at it: `{diff}{f' -- {within}' if within else ''}`; then "
            f"`{command}{' --yes' if acts is not None else ''}`"
        )

    def _result(self, old: str) -> tuple[str, How]:
        if not old:
            return self._theirs, How.NEW
        if self._into.startswith(TAGS):
            return self._theirs, How.FORWARD
        if facts.is_ancestor(self._host, self._theirs, old):
            return old, How.PRESENT
        if facts.is_ancestor(self._host, old, self._theirs):
            return self._theirs, How.FORWARD
        return self._merge(old), How.MERGED

    def _merge(self, old: str) -> str:
        """The id of a commit that has both among its parents.

        :raises _NotNow: both changed the same lines, or git cannot merge
        """
        host = self._host
        with tempfile.TemporaryDirectory(prefix="merge-", dir=host.folder) as folder:
            os.chmod(folder, 0o711)  # noqa: S103 - git passes through as the owner
            new_objects = os.path.join(folder, "objects")
            environ = {**objects.object_folder(host, new_objects), **self._author()}
            words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
            code, output, errors = host.attempt(*words, old, self._theirs, environ=environ)
            tree, *files = os.fsdecode(output).rstrip("\0").split("\0")
            if code:
                raise self._refused(code, files, errors)
            message = f"Merge `{ref_names.parts_of(self._ref)[1]}` of {self._who}\n"
            parents = ("-p", old, "-p", self._theirs)
            done = host.run(
                "commit-tree", tree, *parents, data=os.fsencode(message), environ=environ
            )
            # Before any ref leads to them.
            objects.put(host, new_objects)
        return done.decode().strip()

    def _author(self) -> dict[str, str]:
        settings = (("NAME", "user.name"), ("EMAIL", "user.email"))
        return {
            f"GIT_{role}_{kind}": self._identity[key]
            for role in ("AUTHOR", "COMMITTER")
            for kind, key in settings
            if self._identity.get(key)
        }

    def _refused(self, code: int, files: Sequence[str], errors: bytes) -> _NotNow:
        by_hand = f"`git stash --include-untracked`, then `git merge {self._ref}`"
        if code == 1 and files:
            named = first_of(files, _MOST_NAMED)
            return _NotNow(f"both sides changed {named}", f"resolve it by hand: {by_hand}")
        if code == _NO_SUCH_OPTION:
            return _NotNow("git on the host merges only in a work tree", f"git 2.38, or {by_hand}")
        text = " ".join(errors.decode("utf-8", "replace").split())[-300:]
        return _NotNow(f"git does not merge it: {text}", f"by hand: {by_hand}")

    def _move(self, old: str, new: str) -> None:
        ours = self._ours
        moves = [Move(self._into, ours.tip(self._into), new)] if self._into != "HEAD" else []
        checkout = None
        if self.is_checked_out:
            head = ours.head if ours.head.branch else Head(commit=new)
            checkout = Checkout(ours.head, head, old, new)
        message = f"sandboxd: taken from {self._who}"
        done = to_host.apply(self._host, ours, moves, checkout, message, nested=self._acting)
        if done.failed:
            raise _of_reason(done.failed[0])


_WORDS = {
    Reason.HOST_BUSY: (
        Reason.HOST_BUSY.value,
        "end it, as `git status` says, then run the command again",
    ),
    Reason.HOST_STAGED: (
        "what is staged on the host is in the way",
        "commit or unstage it, then run the command again",
    ),
}


def _of_reason(held: Held) -> _NotNow:
    return _NotNow(*_WORDS.get(held.reason, (held.reason.value, "`git fsck` says what is wrong")))
