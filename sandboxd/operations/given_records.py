"""Reads whose sandbox in a folder was given something, and ends records of that: where their container is gone, and where
the user says that the engine is.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from sandboxd.audit import notes
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.labels import PROJECT
from sandboxd.policy import once
from sandboxd.state import chosen_groups, given_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.state.given_rights import Entry


class _Busy(Exception):
    """Another command works on the project."""


def folder_of(directory: str, environ: Mapping[str, str]) -> str:
    """As `project_folder`; without a `sandboxd.toml` it is the nearest folder upwards any of whose sandboxes, with or
    without a name, was given something.

    :raises UsageError: it is not a folder
    """
    from sandboxd.config.reading import nearest
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.operations._folder import project_folder

    folder = project_folder(directory)
    if nearest(directory):
        return folder
    known = {workspace_of(entry.sandbox) for entry in given_rights.entries(environ)}
    above = here = os.path.realpath(directory)
    while above not in known:
        if above == os.path.dirname(above):
            return folder
        above = os.path.dirname(above)
    return folder if above == here else above


def forget_ended(engine: Engine, environ: Mapping[str, str], record: Entry) -> bool:
    """Remove `record` if its container does not exist any more; returns whether it was removed.

    It stays while a start or an end of the project is at work, which writes it itself, and until it is noted that the
    approvals for one connection in it may have been used.

    :param engine: the engine that the record names
    :param environ: selects that engine
    :raises EnvironmentFailure: the engine does not answer, or its address leads to another engine by now
    """
    from sandboxd.life.lock import project_lock

    if not _is_of(record, engine):
        raise EnvironmentFailure(
            f"the address `{record.engine.address if record.engine else ''}` leads to another engine by "
            f"now, which has no container `{record.container[:12]}`",
            "let it lead to the engine of that container again",
        )

    def give_up(_text: str) -> None:
        raise _Busy

    try:
        with project_lock(record.sandbox, give_up):
            present = engine.containers(f"{PROJECT}={record.sandbox}")
            # A start that was killed did not note which container it made.
            if any(record.container in ("", each.id) for each in present):
                return False
            if record not in given_rights.entries(environ):
                return False
            had = record.given.serials if record.given is not None else ()
            # A record that stays is looked at again, and there may be many.
            if not once.use_up(environ, record.sandbox, had, seconds=0.0):
                return False
            given_rights.forget_record(record.path)
            chosen_groups.forget_unused(environ, record.sandbox)
            return True
    except _Busy:
        return False


def note_engine_gone(
    environ: Mapping[str, str], address: str, connect: Callable[[Mapping[str, str]], Engine]
) -> tuple[Entry, ...]:
    """Note that the engine at `address` is gone for good: what was given to sandboxes there is no longer waited for.

    :param connect: returns the engine that an environment selects
    :returns: the records that this is about
    :raises UsageError: nothing was given there, or the engine answers
    :raises RecordFailure: it cannot be recorded in the audit record, so nothing is noted
    :raises EnvironmentFailure: it cannot be noted
    """
    places = {
        each.engine.address: each.engine
        for each in given_rights.entries(environ)
        if each.engine is not None and not each.is_gone
    }
    if address not in places:
        known = ", ".join(f"`{each}`" for each in places) or "none"
        raise UsageError(
            f"no sandbox has anything on an engine `{address}`",
            f"engines on which one has: {known}",
        )
    engine = places[address].with_agent_of(environ)
    records = tuple(
        each
        for each in given_rights.entries(environ)
        if each.engine is not None and each.engine.address == address
    )
    if _answers(lambda: connect(engine.environ(environ)), records):
        raise UsageError(
            f"the engine `{address}` answers, so it is not gone",
            f"`{engine.before_command()} sandboxd down` in the folder of a sandbox there ends it",
        )
    sandboxes = [each.sandbox for each in records]
    notes.require(environ, "engine-gone", "", engine=address, sandboxes=sandboxes)
    given_rights.note_gone(records)
    for sandbox in dict.fromkeys(sandboxes):
        chosen_groups.forget_unused(environ, sandbox)
    return records


def command_for_gone(address: str) -> str:
    """The command by which a user says that the engine at `address` is gone for good."""
    return f"sandboxd prune --engine-gone {shlex.quote(address)}"


def _is_of(record: Entry, engine: Engine) -> bool:
    """Whether `engine` is the one of the record, as far as its id is known."""
    known = record.given.engine_id if record.given is not None else ""
    return not known or known == str(engine.info().get("ID", ""))


def _answers(connect: Callable[[], Engine], records: Iterable[Entry]) -> bool:
    """Whether the engine of one of `records` answers at all, also by refusing the question."""
    from sandboxd.engine.failures import EngineFailure

    try:
        engine = connect()
        engine.version()
        return any(_is_of(each, engine) for each in records)
    except EngineFailure as error:
        return error.case.isdigit()
    except EnvironmentFailure:
        return False
