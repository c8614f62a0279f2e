"""Files in the user's state folder about halts of sandboxes: who halted one, why, what was done, and how it ended.

A halt outlasts the daemon that made it, and whatever would resume a sandbox looks here first. Each container has a
file of its own: a container that an editor started and the one of `up` are halted and resumed separately.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.file_lock import locked_beside
from sandboxd.files import MAX_BYTES, decode, read_bytes, write_private
from sandboxd.folders import state_folder, workspace_file
from sandboxd.halt.points import What
from sandboxd.halt.put_back import Outcome
from sandboxd.halt.verdict import Action
from sandboxd.model.sandbox_id import name_option

_FOLDER = "halts"


class Unreadable(EnvironmentFailure):
    """A record cannot be read, so that it is not known whether its sandbox is halted."""


class Reason(Enum):
    """Why a sandbox was halted."""

    REPLACED = "replaced"
    """The host replaced, renamed or removed something that is protected inside, and a process watched it happen."""
    UNWATCHED = "unwatched"
    """The same, but found later: no process watched when it happened."""


class Owner(Enum):
    """Who halted a sandbox."""

    DAEMON = "daemon"
    COMMAND = "command"


class Ended(Enum):
    """How a halt ended."""

    REMADE = "remade"
    """The user had its container removed; the next one has all mounts."""


class Entry(NamedTuple):
    """A path of the workspace that a halt is about.

    `what` is what happened to it; None for a path that was exposed because one above it was lost.
    """

    path: str
    what: What | None
    outcome: Outcome | None = None
    """What was done about it; None where that was not necessary."""


class Halt(NamedTuple):
    """One halt of one container. `sandbox` is an identity (`model.sandbox_id`), `container` a full container id."""

    sandbox: str
    container: str
    owner: Owner
    reason: Reason
    at: float
    """Seconds since 1970."""
    entries: tuple[Entry, ...]
    ended: Ended | None = None
    """How it ended; None while it holds."""
    ended_at: float = 0.0
    """Seconds since 1970; 0 while it holds."""
    is_told: bool = False
    """Whether it is in the audit record; if not, whoever ends the halt records it first."""
    is_stopped: bool = False
    """Whether the processes inside were killed, since the engine cannot pause the container."""
    place: str = ""
    """Where the workspace lay by then, in which the paths of the entries are; '' where nobody had moved it."""


def load(environ: Mapping[str, str], sandbox: str, container: str) -> Halt | None:
    """The last halt of a container, whether or not it ended; None where none is recorded.

    :param sandbox: the identity of its sandbox
    :param container: its full id
    :raises Unreadable: the record cannot be read, so that it is not known whether it is halted
    """
    for path in (_path(environ, sandbox, container), _older_path(environ, sandbox)):
        if _is_there(path):
            halt = _read(path, sandbox)
            if halt.container == container:
                return halt
    return None


def of_sandbox(environ: Mapping[str, str], sandbox: str) -> tuple[Halt, ...]:
    """The last halt of each container of a sandbox, whether or not it ended, the oldest first.

    :param sandbox: its identity
    :raises EnvironmentFailure: see `load`
    """
    halts = [_read(path, sandbox) for path in _paths(environ, sandbox)]
    # What an older version wrote comes first, and counts where nothing newer does.
    last = {halt.container: halt for halt in halts}
    return tuple(sorted(last.values(), key=lambda halt: halt.at))


def open_halt(environ: Mapping[str, str], sandbox: str, container: str) -> Halt | None:
    """The halt of a container that has not ended; None if it may be resumed.

    :param container: its full id
    :raises EnvironmentFailure: see `load`
    """
    halt = load(environ, sandbox, container)
    return halt if halt is not None and halt.ended is None else None


def open_halt_of(environ: Mapping[str, str], container: str) -> Halt | None:
    """The halt of a container that has not ended, whichever sandbox it belongs to; None also where it cannot be read.

    What an older version wrote is left out: this is for whoever waits for a halt to come.

    :param container: its full id
    """
    folder = _folder(environ)
    with contextlib.suppress(SandboxdError, OSError, ValueError, KeyError, TypeError):
        for name in os.listdir(folder):
            if name.endswith(_ending(container)):
                halt = _halt(json.loads(decode(read_bytes(os.path.join(folder, name), MAX_BYTES))))
                return halt if halt.ended is None else None
    return None


def changing(environ: Mapping[str, str], sandbox: str) -> AbstractContextManager[None]:
    """Hold a lock on the halts of a sandbox while the block reads, changes and writes them.

    :raises EnvironmentFailure: the lock cannot be had
    """
    return locked_beside(_older_path(environ, sandbox))


def save(environ: Mapping[str, str], halt: Halt) -> None:
    """Write a halt in place of the last one of its container.

    :raises OSError: its folder cannot be made
    :raises EnvironmentFailure: it cannot be written
    """
    document = {
        "version": 1,
        "sandbox": halt.sandbox,
        "container": halt.container,
        "owner": halt.owner.value,
        "reason": halt.reason.value,
        "at": halt.at,
        "entries": [_document(entry) for entry in halt.entries],
        "ended": halt.ended.value if halt.ended else None,
        "ended_at": halt.ended_at,
        "told": halt.is_told,
        "is_stopped": halt.is_stopped,
        "place": halt.place,
    }
    text = json.dumps(document, indent=1)
    path = _path(environ, halt.sandbox, halt.container)
    write_private(path, text.encode("utf-8", "surrogatepass"))


def end(
    environ: Mapping[str, str], sandbox: str, container: str, how: Ended, at: float
) -> Halt | None:
    """Mark the open halt of a container as ended; returns it as it is then, None where there is no open halt.

    :param at: seconds since 1970
    :raises EnvironmentFailure: the record cannot be read or written
    """
    halt = open_halt(environ, sandbox, container)
    if halt is None:
        return None
    halt = halt._replace(ended=how, ended_at=at)
    save(environ, halt)
    _forget_ended(environ, halt)
    return halt


def unreadable(environ: Mapping[str, str], sandbox: str, container: str) -> tuple[str, str]:
    """The paths of the records that cannot be read: that of a container, and what an older version wrote, which may be
    about any container of the sandbox; '' for one that can be read or is not there.

    :param container: its full id
    """
    own, older = (
        path if _is_unreadable(path, sandbox) else ""
        for path in (_path(environ, sandbox, container), _older_path(environ, sandbox))
    )
    return own, older


def _is_unreadable(path: str, sandbox: str) -> bool:
    """Whether something is, or may be, at `path` that cannot be read."""
    try:
        if _is_there(path):
            _read(path, sandbox)
    except Unreadable:
        return True
    return False


def _is_there(path: str) -> bool:
    """Whether something is at `path`.

    :raises Unreadable: its folder may not be entered, so that this is not known
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _folder_unreadable(os.path.dirname(path), error) from None
    return True


def _folder_unreadable(folder: str, error: OSError) -> Unreadable:
    reason = (error.strerror or "an error").lower()
    return Unreadable(
        f"`{folder}` cannot be read ({reason}), so it is not known which sandboxes are halted",
        f"make it a folder of yours again: `chmod 700 {shlex.quote(folder)}`",
    )


def put_aside(environ: Mapping[str, str], sandbox: str, path: str) -> str:
    """Rename a record that cannot be read, so that it holds nothing any more; returns its new path.

    :raises OSError: it cannot be renamed
    :raises EnvironmentFailure: the lock on the records cannot be had
    """
    aside = f"{path}.unreadable"
    with changing(environ, sandbox):
        os.replace(path, aside)
    return aside


def _forget_ended(environ: Mapping[str, str], last: Halt) -> None:
    """Remove the records of the sandbox's halts that ended before `last` did: the audit record has them."""
    own = _path(environ, last.sandbox, last.container)
    for path in _paths(environ, last.sandbox):
        # One that cannot be read may be open.
        with contextlib.suppress(EnvironmentFailure, OSError):
            halt = _read(path, last.sandbox)
            if path != own and (halt.ended is not None or halt.container == last.container):
                os.unlink(path)


def _read(path: str, sandbox: str) -> Halt:
    """:raises Unreadable: see `load`"""
    try:
        return _halt(json.loads(decode(read_bytes(path, MAX_BYTES))))
    except (SandboxdError, ValueError, KeyError, TypeError):
        raise Unreadable(
            f"`{path}` cannot be read, so it is not known whether the sandbox is halted",
            f"`sandboxd up{name_option(sandbox)} --recreate` makes its container anew with the work in it, and puts "
            "that file aside",
        ) from None


def _path(environ: Mapping[str, str], sandbox: str, container: str) -> str:
    return workspace_file(_folder(environ), sandbox, _ending(container))


def _ending(container: str) -> str:
    """The ending of the name of a container's record."""
    return f"-{hashlib.sha256(os.fsencode(container)).hexdigest()[:16]}.json"


def _older_path(environ: Mapping[str, str], sandbox: str) -> str:
    """Where older versions wrote one halt for all containers of a sandbox, the last one."""
    return workspace_file(_folder(environ), sandbox, ".json")


def _paths(environ: Mapping[str, str], sandbox: str) -> list[str]:
    """The files of all halts of a sandbox that are there, an older version's first.

    :raises Unreadable: their folder may not be read
    """
    older, folder = _older_path(environ, sandbox), _folder(environ)
    prefix = os.path.basename(older).removesuffix(".json") + "-"
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _folder_unreadable(folder, error) from None
    newer = (name for name in names if name.startswith(prefix) and name.endswith(".json"))
    return [
        *([older] if _is_there(older) else []),
        *(os.path.join(folder, name) for name in newer),
    ]


def _folder(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), _FOLDER)


def _document(entry: Entry) -> dict[str, object]:
    outcome = entry.outcome
    return {
        "path": entry.path,
        "what": entry.what.value if entry.what else None,
        "outcome": outcome
        and {
            "path": outcome.path,
            "action": outcome.action.value,
            "aside": outcome.aside,
            "problem": outcome.problem,
        },
    }


def _halt(document: dict[str, object]) -> Halt:
    """:raises ValueError: a value is none that is known; KeyError, TypeError: it is another document"""
    entries = document["entries"]
    at, ended_at = document["at"], document["ended_at"]
    if not isinstance(entries, list) or not isinstance(at, float | int):
        raise TypeError("no halt")
    return Halt(
        str(document["sandbox"]),
        str(document["container"]),
        Owner(document["owner"]),
        Reason(document["reason"]),
        float(at),
        tuple(_entry(entry) for entry in entries),
        Ended(document["ended"]) if document["ended"] else None,
        float(ended_at) if isinstance(ended_at, float | int) else 0.0,
        document.get("told") is not False,
        document.get("is_stopped") is True,
        str(document.get("place") or ""),
    )


def _entry(document: dict[str, object]) -> Entry:
    done = document["outcome"]
    outcome = None
    if isinstance(done, dict):
        action = Action(done["action"])
        outcome = Outcome(str(done["path"]), action, str(done["aside"]), str(done["problem"]))
    return Entry(
        str(document["path"]), What(document["what"]) if document["what"] else None, outcome
    )
