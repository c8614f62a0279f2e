"""Moves the host's refs, HEAD and index to what a sandbox has: by compare-and-swap, under git's own locks.

Nothing of the work tree is read or written; the index keeps what it knows of the files, and nothing is refreshed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange import (
    checkout_record,
    copying,
    host_git,
    host_locks,
    index_file,
    own_refs,
    ref_logs,
)
from sandboxd.exchange.difference import Checkout, Held, Move, Reason
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.syntax import git_index

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.state import Head, Side

_MOST_TRIES = 200
"""Moves that are tried one by one where not all can be made: each starts git."""


class Done(NamedTuple):
    """What was written: the refs that moved, and whether HEAD and index followed.

    `staged` is the digest of the index after that, None where HEAD and index did not follow. `failed` are the refs
    that could not be moved.
    """

    moves: tuple[Move, ...] = ()
    checkout: bool = False
    staged: str | None = None
    failed: tuple[Held, ...] = ()


class _NotAsBefore(Exception):
    """The host changed since it was read."""


class _Nested(Exception):
    """The index of the host would enter a repository where it enters none: nothing keeps a sandbox from making it."""


class _Staged(Exception):
    """What the host has staged would be lost."""


def apply(
    host: HostGit,
    ours: Side,
    moves: Sequence[Move],
    checkout: Checkout | None,
    message: str,
    *,
    nested: bool = False,
) -> Done:
    """Move the host's refs, and HEAD and index together with the checked-out branch.

    Failures of single refs are in the result.

    :param ours: the state of the host that the moves were computed from
    :param checkout: the change of HEAD and index; None where they stay
    :param message: for the reflogs
    :param nested: whether the index may contain nested repositories (gitlinks) that it does not contain yet
    :raises CannotRun: git fails
    """
    coupled = _coupled(moves, ours.head, checkout)
    rest = [move for move in moves if move not in coupled]
    done, failed = _move_each(host, rest, message)
    if checkout is None:
        return Done(tuple(done), failed=tuple(failed))
    try:
        index = _check_out(host, ours, coupled, checkout, message, nested)
    except (
        _NotAsBefore,
        host_locks.InUse,
        _Nested,
        _Staged,
        OSError,
        SandboxdError,
        ValueError,
    ) as error:
        reason = _REASONS.get(type(error), Reason.NOT_WRITTEN)
        what = coupled or [Move("HEAD", checkout.old_commit, checkout.new_commit)]
        failed += [Held(move.name, move.new, reason) for move in what]
        return Done(tuple(done), failed=tuple(failed))
    return Done((*done, *coupled), True, index, tuple(failed))


_REASONS: dict[type[Exception], Reason] = {
    _NotAsBefore: Reason.HOST_BUSY,
    host_locks.InUse: Reason.HOST_BUSY,
    _Nested: Reason.NESTED,
    _Staged: Reason.HOST_STAGED,
}


def _coupled(moves: Sequence[Move], head: Head, checkout: Checkout | None) -> list[Move]:
    """The moves of branches that HEAD is on before or after the checkout."""
    branches = {head.branch, checkout.new.branch} if checkout is not None else set()
    return [move for move in moves if move.name in branches]


def move_refs(host: HostGit, moves: Iterable[Move], message: str, *, logged: bool = True) -> bool:
    """Move refs in one transaction; False where one does not have its old value or cannot be written, and none was
    moved.

    :param message: for the reflogs
    :param logged: whether a reflog is made for each ref
    :raises CannotRun: git does not end, or cannot be started
    """
    moves = list(moves)
    lines = []
    linked = host_git.is_linked(host.repository, [move.name for move in moves])
    for move in moves:
        zero = ref_logs.zero(host.sha256)
        if move.new:
            lines.append(f"update {move.name}\0{move.new}\0{move.old or zero}\0")
        else:
            lines.append(f"delete {move.name}\0{move.old}\0")
    if not lines or linked:
        return not linked
    data = os.fsencode("".join(lines))
    log = ("--create-reflog",) if logged else ()
    words = ("update-ref", "-m", message, *log, "--stdin", "-z")
    done = host.attempt(*words, data=data)[0] == 0
    host.give_refs(move.name for move in moves)
    return done


def _move_each(host: HostGit, moves: Sequence[Move], message: str) -> tuple[list[Move], list[Held]]:
    if move_refs(host, moves, message):
        return list(moves), []
    tried = moves[:_MOST_TRIES] if len(moves) > 1 else ()
    done = [move for move in tried if move_refs(host, [move], message)]
    rest = [Held(m.name, m.new, Reason.NOT_WRITTEN) for m in moves if m not in done]
    return done, rest


def _check_out(
    host: HostGit,
    ours: Side,
    moves: Sequence[Move],
    checkout: Checkout,
    message: str,
    nested: bool,
) -> str | None:
    """Let the checked-out branch, HEAD and the index follow; returns the digest of the index.

    :raises _NotAsBefore: the host is not as it was read, or somebody else writes
    """
    own = host.repository.own
    before = index_file.read(own, host.sha256)
    after = _index_after(host, before, checkout, nested)
    with host_locks.lock(host, "index") as lock:
        if index_file.digest_in(own, host.sha256) != ours.staged or read_head(host) != checkout.old:
            raise _NotAsBefore
        if own_refs.operation(own, locks=False) is not None:
            raise _NotAsBefore
        if after is not None:
            # Git compares the time of the index with those of the files: its entries are as old as before.
            lock.write(after, before.times if before is not None else None)
        checkout_record.write(host.place.checkout, checkout, moves, after is not None)
        if move_refs(host, moves, message):
            if checkout.new != checkout.old:
                _write_head(host, checkout, message)
            if after is not None:
                lock.commit()
            checkout_record.remove(host.place.checkout)
        else:
            checkout_record.remove(host.place.checkout)
            raise _NotAsBefore
    return ours.staged if after is None else index_file.digest_in(own, host.sha256)


def take_up(host: HostGit, message: str) -> None:
    """Complete a checkout that was interrupted, and remove lock files that it left; no other lock is touched.

    :param message: for the reflog of HEAD
    :raises CannotRun: git fails
    :raises OSError: the git directory cannot be written
    """
    begun = checkout_record.read(host.place.checkout)
    is_locked = host_locks.is_ours(host, "index")
    host_locks.remove_left(host, "HEAD")
    if begun is not None and is_locked and _has_moved(host, begun.moves):
        head = read_head(host)
        if head == begun.checkout.old != begun.checkout.new:
            with contextlib.suppress(_NotAsBefore, host_locks.InUse):
                _write_head(host, begun.checkout, message)
        if begun.has_index and read_head(host) == begun.checkout.new:
            host_locks.put_in_place(host, "index")
    host_locks.remove_left(host, "index")
    checkout_record.remove(host.place.checkout)


def _has_moved(host: HostGit, moves: Iterable[Move]) -> bool:
    """Whether the host's refs have their new values."""
    words = ("rev-parse", "--verify", "--quiet")
    return all(host.attempt(*words, m.name)[1].decode().strip() == m.new for m in moves)


def _index_after(
    host: HostGit, before: index_file.Index | None, checkout: Checkout, nested: bool
) -> bytes | None:
    """The host's index as of the new commit, None where it stays.

    :raises _Staged: what is staged is in the way
    :raises _Nested: it enters another repository than before
    :raises CannotRun: git does not end, or cannot be started
    """
    if checkout.old_commit == checkout.new_commit or not checkout.new_commit:
        return None
    path = os.path.join(host.git_dir, "index")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if before is not None:
        with open(path, "xb") as file:
            file.write(before.data)
            host.give_open(file.fileno())
    old = checkout.old_commit or host.run("hash-object", "-t", "tree", os.devnull).decode().strip()
    if host.attempt("read-tree", "-i", "-m", old, checkout.new_commit)[0]:
        raise _Staged
    with reading(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)) as file:
        data = file.read()
    entered = git_index.gitlinks(before.data if before is not None else b"", host.sha256)
    if not nested and not set(git_index.gitlinks(data, host.sha256)) <= set(entered):
        raise _Nested
    return data


def read_head(host: HostGit) -> Head:
    """The host's HEAD; one that is not `is_known` where it cannot be read."""
    if not host.is_reftable:
        return own_refs.read_head(host.repository.own)
    symbolic = host.attempt("symbolic-ref", "--quiet", "HEAD")[1].decode().strip()
    if symbolic:
        return own_refs.parse_head(f"ref: {symbolic}")
    commit = host.attempt("rev-parse", "--verify", "--quiet", "HEAD")[1].decode().strip()
    return own_refs.parse_head(commit)


def elsewhere(host: HostGit) -> frozenset[str]:
    """Full names of the branches that other work trees of the repository have checked out, or are rebasing or
    bisecting.
    """
    repository = host.repository
    branches = own_refs.elsewhere(repository.common, repository.own)
    if not host.is_reftable:
        return branches
    folder = os.path.join(repository.common, "worktrees")
    names = os.listdir(folder)[: host_git.MOST_WORKTREES] if os.path.isdir(folder) else []
    heads = [f"worktrees/{name}/HEAD" for name in names if name != repository.name]
    heads += ["main-worktree/HEAD"] if repository.name else []
    listed = {os.fsdecode(host.attempt("symbolic-ref", "--quiet", h)[1]).strip() for h in heads}
    return branches | (listed - {""})


def _write_head(host: HostGit, checkout: Checkout, message: str) -> None:
    text = checkout.new.commit or f"ref: {checkout.new.branch}"
    if host.is_reftable:
        if checkout.new.branch:
            host.run("symbolic-ref", "-m", message, "HEAD", checkout.new.branch)
        else:
            words = ("update-ref", "-m", message, "--no-deref")
            host.run(*words, "HEAD", checkout.new.commit)
        host.give_refs(())
        return
    with host_locks.lock(host, "HEAD") as lock:
        if read_head(host) != checkout.old:
            raise _NotAsBefore
        lock.write(os.fsencode(f"{text}\n"))
        lock.commit()
    _log_head(host, checkout, message)


def _log_head(host: HostGit, checkout: Checkout, message: str) -> None:
    zero = ref_logs.zero(host.sha256)
    old, new = checkout.old_commit or zero, checkout.new_commit or zero
    owner = copying.owner_of(host.repository.workspace)
    with beneath.open_folder(host.repository.own) as root:
        ref_logs.append(root, "logs/HEAD", old, new, message, owner)
