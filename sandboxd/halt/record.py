"""Halts of sandboxes in the user's state: who halted one, why, what was done, and how it ended.

A halt outlives the daemon that made it. Whoever would let a sandbox go on asks here first."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.file_lock import locked_beside
from sandboxd.files import CONFIG_NAME, MAX_BYTES, decode, read_bytes, write_private
from sandboxd.halt.points import What
from sandboxd.halt.put_back import Outcome
from sandboxd.halt.verdict import Action
from sandboxd.host.folders import state_folder, workspace_file
from sandboxd.model.sandbox_id import name_option

_FOLDER = "halts"
_MOST_NAMED = 3
_LOOK = ": look at it before you use git, it may be from inside"


class Reason(Enum):
    """Why a sandbox was halted."""

    REPLACED = "replaced"
    """The host replaced, renamed or removed something that was shut inside, while that was watched."""
    UNWATCHED = "unwatched"
    """That was seen later: nobody watched when it happened."""


class Owner(Enum):
    """Who halted a sandbox, and so says when it may go on."""

    DAEMON = "daemon"
    COMMAND = "command"


class Ended(Enum):
    """How a halt ended."""

    REMADE = "remade"
    """Its container was removed at the user's word: the next one has all its mounts."""


class Entry(NamedTuple):
    """A path of the workspace that was lost, or was open since: `what` is None for one below another that was lost."""

    path: str
    what: What | None
    outcome: Outcome | None = None
    """What was done about it; None where nothing of it acts on the host."""


class Halt(NamedTuple):
    """One halt of one container."""

    sandbox: str
    container: str
    owner: Owner
    reason: Reason
    at: float
    """In seconds since 1970."""
    entries: tuple[Entry, ...]
    ended: Ended | None = None
    ended_at: float = 0.0
    is_told: bool = False
    """Whether the audit record has it. Who ends one that is not told tells it first."""
    is_stopped: bool = False
    """Its engine cannot pause it, so that what ran inside was killed."""


class Halted(EnvironmentFailure):
    """The sandbox is halted, and goes on at the user's word alone."""

    def __init__(self, message: str, hint: str, halt: Halt) -> None:
        super().__init__(message, hint)
        self.halt = halt


def load(environ: Mapping[str, str], sandbox: str) -> Halt | None:
    """The last halt of a sandbox, by its identity, whether or not it ended; None: none is known.

    :raises EnvironmentFailure: its record cannot be read, so that nobody knows
    """
    path = _path(environ, sandbox)
    if not os.path.lexists(path):
        return None
    try:
        return _halt(json.loads(decode(read_bytes(path, MAX_BYTES))))
    except (SandboxdError, ValueError, KeyError, TypeError):
        raise EnvironmentFailure(
            f"`{path}` cannot be read, so it is not known whether the sandbox is halted",
            f"`sandboxd up{name_option(sandbox)} --recreate` makes its container anew; then remove that file",
        ) from None


def open_halt(environ: Mapping[str, str], sandbox: str, container: str) -> Halt | None:
    """The halt of this very container that has not ended; None: it may go on.

    :param container: its whole id
    :raises EnvironmentFailure: see `load`
    """
    halt = load(environ, sandbox)
    if halt is None or halt.ended is not None or halt.container != container:
        return None
    return halt


def changing(environ: Mapping[str, str], sandbox: str) -> AbstractContextManager[None]:
    """Keep other processes from changing the halt of a sandbox while the block reads, changes and writes it.

    :raises EnvironmentFailure: that cannot be had
    """
    return locked_beside(_path(environ, sandbox))


def save(environ: Mapping[str, str], halt: Halt) -> None:
    """Write a halt in the place of the sandbox's last one.

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
    }
    text = json.dumps(document, indent=1)
    write_private(_path(environ, halt.sandbox), text.encode("utf-8", "surrogatepass"))


def end(
    environ: Mapping[str, str], sandbox: str, container: str, how: Ended, at: float
) -> Halt | None:
    """Note that the halt of a container has ended, if there is one; returns it as it is then.

    :raises EnvironmentFailure: it cannot be written
    """
    halt = load(environ, sandbox)
    if halt is None or halt.container != container or halt.ended is not None:
        return None
    halt = halt._replace(ended=how, ended_at=at)
    save(environ, halt)
    return halt


def is_by_config(halt: Halt) -> bool:
    """Whether nothing but the project's `sandboxd.toml` was replaced, in which nothing weakens unless it was granted."""
    lost = {entry.path for entry in halt.entries if entry.what is not None}
    return lost == {CONFIG_NAME}


def halted(halt: Halt, *, by_editor: bool = False, problem: str = "") -> Halted:
    """The error for whoever needs a halted sandbox to go on.

    :param problem: why its halt is not in the audit record
    """
    recreate = "" if is_by_config(halt) else " --recreate"
    again = f"`sandboxd up{name_option(halt.sandbox)}{recreate}` makes it anew with the work in it"
    if by_editor:
        again = f"rebuild it in the editor (Dev Containers: Rebuild Container), or `docker rm -f {halt.container[:12]}`"
    text = "; ".join(part for part in (describe(halt), problem) if part)
    return Halted(f"the sandbox is halted: {text}", again, halt)


def describe(halt: Halt) -> str:
    """What was replaced, and what was done about it, for a person."""
    lost = [entry for entry in halt.entries if entry.what is not None]
    entered = [entry for entry in lost if entry.what is What.ENTERED]
    named = [entry for entry in lost if entry.what is What.NAMED]
    gone = [entry for entry in lost if entry.what not in (What.ENTERED, What.NAMED)]
    parts = (
        _of_gone(gone),
        _of_named(entered, "goes into", "index"),
        _of_named(named, "acts upon", "config", _LOOK),
    )
    text = "; ".join(part for part in parts if part)
    done = [part for entry in halt.entries if (part := _done(entry.what, entry.outcome))]
    if halt.reason is Reason.UNWATCHED:
        done.append(
            "nobody watched, so look at it before a tool on the host does: it may be from inside"
        )
    if halt.is_stopped:
        done.append("its engine cannot pause it, so what ran inside was ended")
    return "; ".join([text, *done])


def _names(entries: Sequence[Entry]) -> str:
    names = ", ".join(f"`{entry.path}`" for entry in entries[:_MOST_NAMED])
    return names + (f" and {len(entries) - _MOST_NAMED} more" if len(entries) > _MOST_NAMED else "")


def _of_gone(gone: Sequence[Entry]) -> str:
    if not gone:
        return ""
    whats = {entry.what.value for entry in gone if entry.what is not None}
    verb = whats.pop() if len(whats) == 1 else "replaced or removed"
    is_are = "was" if len(gone) == 1 else "were"
    return f"{_names(gone)} {is_are} {verb} on the host, which took the mount away"


def _of_named(entries: Sequence[Entry], does: str, by: str, hint: str = "") -> str:
    """The sentence about what git on the host has come to act upon, and nothing is mounted on."""
    if not entries:
        return ""
    has = "has" if len(entries) == 1 else "have"
    return (
        f"git on the host {does} {_names(entries)}, which its {by} names since the start, and "
        f"which {has} no mount{hint}"
    )


def _take(outcome: Outcome) -> str:
    return shlex.join(("mv", outcome.aside, outcome.path))


def _done(what: What | None, outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.problem:
        return f"`{outcome.path}` may be from inside and could not be put aside: {outcome.problem}"
    if outcome.action is Action.PUT_BACK:
        return (
            f"what `{outcome.path}` said before is back, since the new one may be from inside: "
            f"it is `{outcome.aside}`, and `{_take(outcome)}` takes it if it is yours"
        )
    if outcome.action is Action.SET_ASIDE:
        text = f"`{outcome.path}` may be from inside: it is `{outcome.aside}` now"
        if what is not What.ENTERED:
            return text
        return f"{text}, and `{_take(outcome)}` takes it if it is yours"
    return ""


def _path(environ: Mapping[str, str], sandbox: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), _FOLDER), sandbox, ".json")


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
