"""Git directories of sandboxes that no longer exist: whose each was, and whether the host has all that was committed
there.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.exchange import agreed, copying, host_git, objects, own_refs, ref_names, to_host
from sandboxd.exchange.difference import Move
from sandboxd.exchange.on_host import owner_of, refs_of
from sandboxd.exchange.place import Place, beside, place_of, repository_of
from sandboxd.file_lock import LockTimeout, locked
from sandboxd.files import read_bytes, write_private
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.plan import beneath

_LARGEST = 8192
_HELD = "refs/sandboxd/*/held/*"
_OWN_OBJECTS = re.compile(r".*/objects/([0-9a-f]{2}|pack)/")
_LETS_GO = "sandboxd: the sandbox is gone"


def note(place: Place, sandbox: str) -> None:
    """Record which sandbox the git directory belongs to.

    :param sandbox: the identity of the sandbox (`model.sandbox_id`)
    :raises EnvironmentFailure: it cannot be recorded
    """
    text = os.fsencode(sandbox)
    if _read(place) != sandbox:
        write_private(place.sandbox, text, synced=False)


def _read(place: Place) -> str:
    try:
        return os.fsdecode(read_bytes(place.sandbox, _LARGEST))
    except SandboxdError:
        return ""


def every(environ: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Each git directory that is there, with the identity of its sandbox; '' where that is not recorded or does not
    match.
    """
    root = os.path.dirname(place_of(environ, "/").folder)
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else ():
        place = Place(os.path.join(root, name))
        sandbox = _read(place)
        if os.path.isdir(place.inside):
            yield place, sandbox if beside(place, sandbox) == place else ""


def why_kept(place: Place, sandbox: str) -> str:
    """Why the git directory of `sandbox` must not be removed, for a person; '' where the host has all its commits."""
    if not sandbox:
        return "it is not known whose it is"
    try:
        if _has_objects_of_modules(place):
            return "it has commits of submodules, which never come to the host"
        repository = repository_of(workspace_of(sandbox))
        if repository is None:
            return "" if _passed_once(place) else "it has commits that never came to the host"
        with host_git.opened(repository, place) as host:
            return "" if _is_on(host, place) else "it has commits that the host has not"
    except (SandboxdError, OSError) as error:
        return f"it cannot be read: {error}"


def _tips(place: Place) -> dict[str, str]:
    refs = own_refs.read_refs(place.inside)
    if refs.broken or refs.refused:
        raise EnvironmentFailure("it has refs that cannot be read", "")
    tips = {n: oid for n, oid in refs.ids.items() if not n.startswith(ref_names.REMOTES)}
    stashes = own_refs.stashes(place.inside, refs.ids.get(ref_names.STASH, ""))
    tips |= {f"{ref_names.STASH}/{number}": oid for number, oid in enumerate(stashes)}
    head = own_refs.read_head(place.inside)
    return tips | ({"HEAD": head.commit} if head.commit else {})


def _passed_once(place: Place) -> bool:
    """Whether the last exchange brought each tip to the host, whose repository does not exist any more."""
    refs = agreed.read(place.agreed).refs
    known = set(refs.values())
    return all(oid in known for oid in _tips(place).values())


def _is_on(host: host_git.HostGit, place: Place) -> bool:
    """Whether refs of the host, but those that only hold objects for a sandbox, lead to all that inside has."""
    ids = sorted(set(_tips(place).values()))
    if objects.missing(host, ids):
        return False
    text = "".join(f"{oid}\n" for oid in ids) + f"--not\n--exclude={_HELD}\n--all\n"
    code, output, _ = host.attempt("rev-list", "--max-count=1", "--stdin", data=text.encode())
    return code == 0 and not output


def _has_objects_of_modules(place: Place) -> bool:
    with beneath.open_folder(place.inside) as root:
        files = own_refs.files_below(root, "modules")
        return any(_OWN_OBJECTS.match(path) for path, _ in files)


def remove(place: Place, sandbox: str) -> None:
    """Remove the git directory of `sandbox`, and the refs on the host that keep objects alive for it.

    Refs whose commits wait to be taken stay.

    :raises EnvironmentFailure: it has commits that the host does not have, or an exchange is under way
    """
    try:
        with locked(place.lock, seconds=0):
            if why := why_kept(place, sandbox):
                raise EnvironmentFailure(
                    why, "`sandboxd up` brings its commits; or remove the folder by hand"
                )
            _let_go(place, sandbox)
            os.rename(place.inside, f"{place.inside}.gone")
            copying.remove_tree(place.folder)
    except (LockTimeout, OSError) as error:
        raise EnvironmentFailure(f"it is in use: {error}", "try again later") from None


def _let_go(place: Place, sandbox: str) -> None:
    repository = repository_of(workspace_of(sandbox))
    if repository is None:
        return
    with host_git.opened(repository, place) as host:
        prefix = ref_names.held(owner_of(host, name_of(sandbox)), "")
        refs = refs_of(host, name_of(sandbox))
        moves = [Move(name, oid, "") for name, oid in refs.items() if name.startswith(prefix)]
        to_host.move_refs(host, moves, _LETS_GO, logged=False)


def size_of(place: Place) -> int:
    """The size of all files of the place in bytes; no link is followed."""
    size = 0
    waiting = [place.folder]
    while waiting:
        # A path that is too long for the system is left out.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size
