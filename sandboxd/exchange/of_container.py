"""The exchange with a running container: finds its git directory, and has git inside write the objects."""

from __future__ import annotations

import contextlib
import functools
import posixpath
from typing import IO, TYPE_CHECKING, NamedTuple

from sandboxd.engine.client import Exec
from sandboxd.engine.payload import programs
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.exchange import leftover, run
from sandboxd.exchange.objects import LARGEST, Transfer, TransferFailed
from sandboxd.exchange.place import place_of, repository_of
from sandboxd.exchange.state import BY_WEIGHT, Mounts
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.observe import pins
from sandboxd.observe.pin import State
from sandboxd.plan.git_named import named_by_git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.exchange.place import Place, Repository
    from sandboxd.exchange.run import Outcome
    from sandboxd.model.engine_answers import Inspected

_SECONDS = 300.0
_MOST_ERRORS = 500
_NOT_THERE = (126, 127)
_ENVIRON = ("GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")


class OfContainer(NamedTuple):
    """A container's own git directory.

    `sandbox` is the identity of the sandbox, `git_dir` the directory's path inside. `shut` are the paths in the
    workspace that are read-only inside, relative to it; '' stands for the whole workspace.
    """

    sandbox: str
    repository: Repository
    place: Place
    git_dir: str
    shut: frozenset[str] = frozenset()


class Bound(NamedTuple):
    """A mount of a container: its source (a host path), its path inside, whether it is read-only, and its type."""

    source: str
    target: str
    read_only: bool
    type: str


def own_git_of(environ: Mapping[str, str], inspected: Inspected) -> OfContainer | None:
    """The git directory of a container; None where it has none of its own.

    :param inspected: the engine's description of the container
    """
    sandbox = ((inspected.get("Config") or {}).get("Labels") or {}).get(PROJECT) or ""
    if not sandbox:
        return None
    mounts = [
        Bound(
            str(mount.get("Source")),
            str(mount.get("Destination")),
            not mount.get("RW"),
            str(mount.get("Type")),
        )
        for mount in inspected.get("Mounts") or []
    ]
    return own_git(environ, sandbox, mounts)


def own_git(
    environ: Mapping[str, str], sandbox: str, mounts: Iterable[Bound]
) -> OfContainer | None:
    """The git directory of `sandbox`; None where `mounts` do not include it, or the workspace has no repository."""
    place = place_of(environ, sandbox)
    mounts = tuple(mounts)
    git_dir = next((m.target for m in mounts if m.source == place.inside and not m.read_only), "")
    workspace = workspace_of(sandbox)
    repository = repository_of(workspace) if git_dir else None
    if repository is None:
        return None
    shut = frozenset({BY_WEIGHT}) if _is_in_copy(git_dir, mounts) else shut_in(mounts, workspace)
    return OfContainer(sandbox, repository, place, git_dir, shut)


def _is_in_copy(git_dir: str, mounts: Iterable[Bound]) -> bool:
    """Whether the folder that has the git directory is no folder of the host, but a volume or in memory."""
    above = posixpath.dirname(git_dir)
    return all(mount.type in ("volume", "tmpfs") for mount in mounts if mount.target == above)


def shut_in(mounts: Iterable[Bound], workspace: str) -> frozenset[str]:
    """The paths in the workspace that are read-only in a container, relative to the workspace.

    '' stands for the whole workspace, which is also assumed where `mounts` do not show it.
    """
    mounts = tuple(mounts)
    top = next((mount for mount in mounts if mount.source == workspace), None)
    if top is None or top.read_only:
        return frozenset({""})
    prefix = f"{top.target.rstrip('/')}/"
    return frozenset(
        mount.target.removeprefix(prefix)
        for mount in mounts
        if mount.read_only and mount.target.startswith(prefix)
    )


class Haste(NamedTuple):
    """Time limits of an exchange, in seconds: for another exchange to end (None: no limit), and for git inside to
    send objects.

    `before_wait` is called when it has to wait for another exchange, `before_transfer` before it asks for objects.
    """

    lock_seconds: float | None = None
    transfer_seconds: float = _SECONDS
    before_wait: Callable[[], None] | None = None
    before_transfer: Callable[[], None] | None = None


NONE = Haste()
"""For an exchange that nobody waits for: no limit for the lock."""


def exchange_with(
    engine: Engine,
    environ: Mapping[str, str],
    container: str,
    own: OfContainer,
    haste: Haste = NONE,
) -> Outcome:
    """Exchange once with a running container.

    :param environ: the user's variables
    :param container: its id
    """
    with contextlib.suppress(SandboxdError):
        # One that was made before that was recorded.
        leftover.note(own.place, own.sandbox)
    transfer = transfer_of(engine, container, own.git_dir, haste)
    patience = run.Patience(haste.lock_seconds, haste.before_wait)
    return run.exchange(
        own.repository,
        own.place,
        name_of(own.sandbox),
        transfer,
        patience,
        shut=shut_now(environ, own),
        mounts=mounts_of(engine, container),
    )


def shut_now(environ: Mapping[str, str], own: OfContainer) -> frozenset[str]:
    """The paths that nothing from inside may change, relative to the workspace.

    Of a copy that is kept the same they include what settings of git name at this moment; where the folder itself is
    mounted, that was shut when the container was made.
    """
    if BY_WEIGHT not in own.shut:
        return own.shut
    return own.shut | named_by_git(workspace_of(own.sandbox), environ)


def mounts_of(engine: Engine, container: str) -> Callable[[], Mounts]:
    """A function that looks whether a running container still has the mounts that shut a part of its workspace."""
    described = functools.cache(lambda: pins.subject(engine.inspect(container)))

    def look() -> Mounts:
        try:
            present = pins.look(described())
        except EnvironmentFailure:
            return Mounts.UNSEEN
        if any(pin.is_lost for pin in present):
            return Mounts.LOST
        shut = [pin for pin in present if pin.is_read_only]
        is_held = bool(shut) and all(pin.state is State.HOLDS for pin in shut)
        return Mounts.HELD if is_held else Mounts.UNSEEN

    return look


def transfer_of(engine: Engine, container: str, git_dir: str, haste: Haste = NONE) -> Transfer:
    """The function that has git in `container` write a pack; what it writes is not trusted.

    :param git_dir: the path of the git directory inside
    """

    seconds = haste.transfer_seconds

    def transfer(wanted: Sequence[str], have: Sequence[str], target: IO[bytes]) -> None:
        text = "".join(f"{line}\n" for line in (*wanted, *(f"^{oid}" for oid in have)))
        words = ("pack-objects", "--revs", "--thin", "--stdout", "-q", "--delta-base-offset")
        request = Exec(["git", f"--git-dir={git_dir}", *words], env=_ENVIRON)
        spool = _Spool(target)
        if haste.before_transfer is not None:
            haste.before_transfer()
        try:
            code = programs.run(engine, container, request, text.encode(), seconds, spool.write)
        except TimeoutError:
            raise TransferFailed(f"it does not end within {seconds:g} s") from None
        except TransferFailed:
            raise
        except EnvironmentFailure as error:
            raise TransferFailed(error.message) from None
        if code in _NOT_THERE:
            raise TransferFailed("its image has no git")
        if code:
            raise TransferFailed(spool.reason() or f"exit code {code}")

    return transfer


class _Spool:
    """Writes output to a file, up to a limit."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._left = LARGEST
        self._errors = b""

    def write(self, stream: int, data: bytes) -> None:
        if stream == 2:
            self._errors = (self._errors + data)[-_MOST_ERRORS:]
            return
        self._left -= len(data)
        if self._left < 0:
            raise TransferFailed(f"it writes more than {LARGEST >> 20} MiB")
        self._target.write(data)

    def reason(self) -> str:
        return " ".join(self._errors.decode("utf-8", "replace").split())[-300:]
