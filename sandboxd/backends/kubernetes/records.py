"""This machine's record of a sandbox on a cluster: the Pod that was made, and what was copied into it.

Nothing inside can change it. A copy in a Pod with another uid than the record's is not known to be complete.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.file_lock import locked as lock_file
from sandboxd.files import read_bytes, write_atomic
from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sandboxd.backends.kubernetes.kubeconfig import Context

_LARGEST = 512 << 20
REFRESH, START = ".refresh", ".start"


class Lost(NamedTuple):
    """A control that is not in force, by its name, and the reason in words. Another version may know other names."""

    control: str
    why: str


class Record(NamedTuple):
    """A copy of the workspace in the Pod with this `uid`; `started` is when it began, in nanoseconds since 1970."""

    uid: str
    started: int
    folder: str
    """The path of the copy inside."""
    listed: Mapping[str, Any]
    """The list of the copied files, as `review.original` makes it."""
    not_in_force: Sequence[Lost]
    """The controls that are not enforced, as the start found."""
    objects: Sequence[Mapping[str, Any]] = ()
    """The objects of the sandbox, as they were applied."""
    times: Mapping[str, Sequence[int]] | None = None
    """Times of the host's files when they were copied, by path; None in records of older versions."""
    git_objects: Sequence[str] = ()
    """The files of git objects that were copied."""
    head: Sequence[str] = ("", "")
    """The full name of the branch that was checked out, and its commit; '' for none."""
    given: Mapping[str, Any] | None = None
    """What its gateway was given, as `state.given_rights.to_json` makes it; None without a gateway."""


def recall(environ: Mapping[str, str], context: Context, pod: str) -> Record | None:
    """The record of the sandbox whose Pod is called `pod`; None where this machine has none."""
    with contextlib.suppress(SandboxdError, ValueError, TypeError, RecursionError):
        record = Record(**json.loads(read_bytes(_path(environ, context, pod), _LARGEST)))
        return record._replace(not_in_force=[_lost(each) for each in record.not_in_force])
    return None


def lost_of_line(line: str) -> Lost:
    """A control and its reason from `control: why`, as a Pod's annotation has them."""
    control, _, why = line.partition(": ")
    return Lost(control, why)


def _lost(noted: str | Sequence[str]) -> Lost:
    """A control of a record; in those of older versions it is a line."""
    return lost_of_line(noted) if isinstance(noted, str) else Lost(*noted)


def note(environ: Mapping[str, str], context: Context, pod: str, record: Record) -> None:
    """Save the record, which also says that the copy is complete.

    :raises EnvironmentFailure: it cannot be saved, so that later changes of the copy could not be found
    """
    path = _path(environ, context, pod)
    _write(path, json.dumps(record._asdict()).encode())
    with contextlib.suppress(OSError):
        os.unlink(path + START)


def note_start(environ: Mapping[str, str], context: Context, pod: str, uid: str = "") -> None:
    """Save that a start began, which `note` and `forget` end: until then what is on the cluster is not complete.

    :param uid: of the Pod, once there is one
    :raises EnvironmentFailure: it cannot be saved
    """
    _write(_path(environ, context, pod) + START, uid.encode())


def is_cut_off(environ: Mapping[str, str], context: Context, pod: str, uid: str) -> bool:
    """Whether a start of this machine made the Pod `uid`, or may have made it, and did not end."""
    try:
        noted = read_bytes(_path(environ, context, pod) + START, 256).decode("ascii", "replace")
    except SandboxdError:
        return False
    return noted in ("", uid)


def _write(path: str, data: bytes) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, data, 0o600)
    except (OSError, SandboxdError) as error:
        raise _no_place(error) from None


@contextlib.contextmanager
def locked(
    environ: Mapping[str, str],
    context: Context,
    pod: str,
    what: str = "",
    before_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold a lock on the sandbox for the block, against other processes of this user.

    :param what: '' for short changes of the record and of what the sandbox may reach; `REFRESH` for a copy that takes
        long, and `START` for a start, during which such changes are possible
    :param before_wait: called if another process holds the lock
    :raises EnvironmentFailure: the lock file cannot be made
    """
    path = _path(environ, context, pod)
    with contextlib.ExitStack() as stack:
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            stack.enter_context(lock_file(f"{path}{what}.lock", before_wait))
        except OSError as error:
            raise _no_place(error) from None
        yield


def forget(environ: Mapping[str, str], context: Context, pod: str) -> None:
    """Remove the record, since the sandbox is gone."""
    path = _path(environ, context, pod)
    if os.path.lexists(path):
        # Locked, since another process that notes something now would make the file anew.
        with contextlib.suppress(OSError, SandboxdError), locked(environ, context, pod):
            os.unlink(path)
    for name in (START, ".lock", f"{REFRESH}.lock"):
        with contextlib.suppress(OSError):
            os.unlink(path + name)


def _no_place(error: Exception) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"cannot note what was copied to the cluster: {error}",
        "make room there, or set XDG_STATE_HOME to a folder that you can write",
    )


def _path(environ: Mapping[str, str], context: Context, pod: str) -> str:
    # The server and not the name of the context, which a user may change.
    identity = f"{context.server}\n{context.namespace}\n{pod}"
    return workspace_file(os.path.join(state_folder(environ), "clusters"), identity, ".json")
