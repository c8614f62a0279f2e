"""Lists the refs on the host at which commits of sandboxes wait. They are read as files: `status` starts no git."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.exchange import acting_refs, own_refs, packed_refs, ref_names, words
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.place import Repository, place_of, repository_of
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.plan import beneath

_MOST = 200
_MOST_NAMED = 5


def lines(workspace: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """A line for a person on each ref at which commits of the workspace's sandboxes wait, with the command that takes
    it.

    Stashes that tools on the host would act on are listed with the command that shows them. () for nothing, and for a
    repository that keeps its refs in a reftable.
    """
    refs = sorted({*_names(workspace, environ)}, key=lambda one: one[0])
    texts = [_line(*ref) for ref in refs[:_MOST_NAMED]]
    if more := len(refs) - len(texts):
        texts.append(f"{more} more wait: `git for-each-ref refs/sandboxd`")
    return tuple(texts)


def _line(ref: str, owner: str, reason: Reason | None) -> str:
    name = _plain(ref)
    why = f" ({words.ACTS[reason]})" if reason in words.ACTS else ""
    if not ref_names.is_waiting(ref):
        return f"`{name}` is a stash: look before you apply it, `{words.show_stash(name)}`{why}"
    command = words.take(f"{ref_names.below(owner)}{ref_names.parts_of(ref)[1]}")
    # The command first: a narrow screen cuts the end.
    return f"`{name}` waits: `{command}` takes it{why}"


def _names(workspace: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str, Reason | None]]:
    """Each ref, whose it is, and why it is not taken unasked; None for one that is."""
    repository = repository_of(workspace)
    if repository is None:
        return
    known: dict[str, str] = {}
    acting: dict[str, acting_refs.Acting] = {}
    for ref in _all(repository.common):
        owner, _ = ref_names.parts_of(ref)
        if owner not in known:
            known[owner] = _owner_now(environ, repository, owner)
            if known[owner]:
                sandbox = sandbox_id(workspace, ref_names.sandbox_of(known[owner]))
                acting.update(acting_refs.read(place_of(environ, sandbox).acting))
        # A stash that changes nothing that acts is nobody's concern here.
        if known[owner] and (ref in acting or ref_names.is_waiting(ref)):
            yield ref, known[owner], acting[ref].reason if ref in acting else None


def _owner_now(environ: Mapping[str, str], repository: Repository, owner: str) -> str:
    """`owner`, where it is a sandbox of this work tree; '' where it is of another one, or there is none.

    What was spelled as of old is of the sandbox without a name, where none has that name: the next exchange moves it.
    """

    def exists(name: str) -> bool:
        return os.path.isdir(place_of(environ, sandbox_id(repository.workspace, name)).inside)

    name = ref_names.sandbox_of(owner)
    if owner == ref_names.owner(name, repository.name) and exists(name):
        return owner
    is_old = owner == ref_names.OLD_UNNAMED and not exists(owner) and exists("")
    return ref_names.owner("", repository.name) if is_old else ""


def _all(common: str) -> list[str]:
    """The names of our refs in a repository that do not only keep an object, at most so many."""
    names: list[str] = []
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(common) as root:
        names += [path for path, _ in own_refs.files_below(root, "refs/sandboxd")]
        packed = own_refs.read_small(root, "packed-refs", packed_refs.LARGEST_OF_HOST) or ""
        # A repository can have packed refs by the ten thousand, and none of ours.
        if ref_names.ROOT in packed:
            packed_names = (line.partition(" ")[2] for line in packed.split("\n"))
            names += [name for name in packed_names if name.startswith(ref_names.ROOT)]
    allowed = [name for name in names if ref_names.is_allowed(name) and not ref_names.is_held(name)]
    return allowed[:_MOST]


def _plain(ref: str) -> str:
    return ref.encode("utf-8", "replace").decode()
