"""Reads the present state of a git directory: that of the host, and that of a sandbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.exchange import index_file, objects, own_refs, packed_refs, ref_names, to_host
from sandboxd.exchange.state import Head, Refs, Side

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.place import Place

_LARGE_INDEX = 64 << 20
"""Bytes up to which any index of a sandbox is read: to read one takes memory and time, at each exchange."""


def host_side(host: HostGit) -> Side:
    """The present refs, HEAD, index and operation of the host's repository.

    :raises SandboxdError: it cannot be read
    :raises OSError: it cannot be read
    """
    repository = host.repository
    head = to_host.read_head(host)
    refs = (
        _listed(host)
        if host.is_reftable
        else own_refs.read_refs(repository.common, packed_refs.LARGEST_OF_HOST)
    )
    index = index_file.digest_in(repository.own, host.sha256)
    under_way = own_refs.operation(repository.own)
    rewritten = own_refs.rewritten(repository.own)
    return Side(refs, head, index, under_way, to_host.elsewhere(host), rewritten)


def _listed(host: HostGit) -> Refs:
    form = "--format=%(objectname) %(refname) %(symref)"
    ids: dict[str, str] = {}
    for line in os.fsdecode(host.run("for-each-ref", form)).split("\n")[:-1]:
        oid, name, *symbolic = line.split(" ")
        if not any(symbolic) and ref_names.is_exchanged(name):
            ids[name] = oid
    return Refs(ids)


def inside_side(place: Place, sha256: bool, largest: int, most_packed: int) -> Side:
    """The present refs, HEAD, index and operation of the sandbox's own git directory.

    :param sha256: whether object ids are SHA-256
    :param largest: size limit of its index in bytes
    :param most_packed: size limit of its packed refs in bytes
    :raises SandboxdError: it cannot be read
    :raises OSError: it cannot be read
    """
    head = own_refs.read_head(place.inside)
    refs = own_refs.read_refs(place.inside, most_packed)
    index = index_file.digest_in(place.inside, sha256, largest)
    under_way = own_refs.operation(place.inside)
    return Side(refs, head, index, under_way, rewritten=own_refs.rewritten(place.inside))


def largest_index(own: str) -> int:
    """The size limit in bytes for the index of a sandbox: generous, and more where the host's own index is large.

    :param own: the git directory of the host's work tree
    """
    try:
        size = os.lstat(os.path.join(own, "index")).st_size
    except OSError:
        size = 0
    return min(max(_LARGE_INDEX, 2 * size), index_file.LARGEST)


def of_commits(host: HostGit, inside: Side, ours: Side, missing: frozenset[str]) -> Side:
    """`inside` without branches and a HEAD that are no commits: git makes none, and would check out a tree unchecked.

    :param missing: ids of which the host has no object
    :raises CannotRun: git fails
    """
    branches = {
        name: oid
        for name, oid in inside.refs.ids.items()
        if name.startswith(ref_names.HEADS) and oid != ours.tip(name)
    }
    head = inside.head
    ids = {*branches.values(), head.commit} - missing - {""}
    # Git takes the beginning of an id for it, too.
    whole = {oid for oid in objects.commits(host, ids) if len(oid) == (64 if host.sha256 else 40)}
    no_commits = ids - whole
    broken = {name for name, oid in branches.items() if oid in no_commits}
    left = {name: oid for name, oid in inside.refs.ids.items() if name not in broken}
    refs = Refs(left, inside.refs.broken | broken, inside.refs.refused)
    return inside._replace(refs=refs, head=Head() if head.commit in no_commits else head)
