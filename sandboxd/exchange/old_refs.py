"""Renames refs on the host that an older version wrote, whose names several sandboxes shared.

The unnamed sandbox shared its names with one called `main`, and sandboxes of linked work trees shared theirs with each
other, so each removed refs that another needed. Shared refs are copied to the new name; the old name is removed with
the last sandbox that used it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.exchange import agreed, on_host, ref_names, to_host
from sandboxd.exchange.difference import Move
from sandboxd.exchange.place import Place, beside
from sandboxd.exchange.ref_names import OLD_UNNAMED
from sandboxd.files import read_bytes
from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.place import Repository

_MOST_WORKTREES = 1_000
_LONGEST_PATH = 4096
_MOVES = "sandboxd: under a name of its own"


def bring_over(host: HostGit, place: Place, sandbox: str) -> None:
    """Give the refs of `sandbox` on the host their present names, if its last exchange wrote them under the old ones.

    :param sandbox: its name, '' for the unnamed one
    :raises CannotRun: git fails
    """
    old = sandbox or OLD_UNNAMED
    new = ref_names.owner(sandbox, host.repository.name)
    if old == new or not os.path.lexists(place.agreed) or agreed.read(place.agreed).owner == new:
        return
    before = on_host.refs_below(host, ref_names.below(old))
    present = on_host.refs_below(host, ref_names.below(new))
    copies = {ref_names.below(new) + name.removeprefix(ref_names.below(old)): oid
              for name, oid in before.items()}  # fmt: skip
    moves = [Move(name, "", oid) for name, oid in copies.items() if name not in present]
    if to_host.move_refs(host, moves, _MOVES, logged=False) and _is_last(host, place, old):
        gone = [Move(name, oid, "") for name, oid in before.items()]
        to_host.move_refs(host, gone, _MOVES, logged=False)


def _is_last(host: HostGit, place: Place, old: str) -> bool:
    """Whether no other sandbox has refs under the old name."""
    names = (old, "") if old == OLD_UNNAMED else (old,)
    for workspace, worktree in _work_trees(host.repository):
        for name in names:
            other = beside(place, sandbox_id(workspace, name))
            new = ref_names.owner(name, worktree)
            if other == place or not os.path.isdir(other.inside):
                continue
            if new == old or agreed.read(other.agreed).owner != new:
                return False
    return True


def _work_trees(repository: Repository) -> Iterator[tuple[str, str]]:
    """The paths of the repository's work trees, and the name of each in it, '' for the first."""
    yield os.path.dirname(repository.common), ""
    folder = os.path.join(repository.common, "worktrees")
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = sorted(os.listdir(folder))[:_MOST_WORKTREES]
    for name in names:
        with contextlib.suppress(SandboxdError, OSError):
            text = read_bytes(os.path.join(folder, name, "gitdir"), _LONGEST_PATH)
            yield os.path.realpath(os.path.dirname(os.fsdecode(text).strip())), name
