"""Keeps a halted sandbox halted, and halts one whose mounts were lost while nobody watched."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import entries, points, record, unwatched, words
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.model.sandbox_id import name_option, workspace_of
from sandboxd.state import given_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.halt.record import Halt
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.state.given_rights import Entry


def is_halted(engine: Engine, container: Summary) -> bool:
    """Whether a paused or exited container is halted, or has lost some of its mounts: then nothing may run in it any
    more.

    :raises EnvironmentFailure: the record of halts cannot be read
    """
    if container.state not in ("paused", "exited"):
        return False
    sandbox = container.labels.get(PROJECT) or ""
    if _open_halt(container, sandbox) is not None:
        return True
    if container.state == "exited":
        # Its mounts are made anew when it starts.
        return False
    try:
        return unwatched.has_lost(engine.inspect(container.id))
    except failures.ContainerGone:
        return False


def must_not_resume(engine: Engine, container: Summary) -> bool:
    """Whether a container that is to be removed is halted, or may be: then it is removed as it is.

    One with a record that cannot be read was. What an older version wrote may be about any that shares its workspace
    with the host: no other is halted, and its work is on the host.
    """
    try:
        return is_halted(engine, container)
    except record.Unreadable:
        sandbox = container.labels.get(PROJECT) or ""
        if record.unreadable(os.environ, sandbox, container.id)[0]:
            return True
        workspace = workspace_of(sandbox)
        try:
            return bool(points.points_of(engine.inspect(container.id), workspace))
        except failures.ContainerGone:
            return False


def put_records_aside(engine: Engine, container: Summary, sandbox: str) -> Iterator[str]:
    """Put the records of a removed container aside that cannot be read, as they would hold the next one, too; yields
    sentences about each.

    What an older version wrote may be about any container of the sandbox, on whichever engine, and stays while there is
    another.

    :param sandbox: the sandbox's identity
    """
    own, older = record.unreadable(os.environ, sandbox, container.id)
    others: list[Summary] = []
    elsewhere: list[Entry] = []
    if older:
        listed = engine.containers(f"{PROJECT}={sandbox}")
        others = [each for each in listed if each.id != container.id]
        elsewhere = _elsewhere(sandbox, {container.id, *(each.id for each in listed)})
    for path in (own, "" if others or elsewhere else older):
        if not path:
            continue
        try:
            aside = record.put_aside(os.environ, sandbox, path)
        except (OSError, EnvironmentFailure) as error:
            yield f"`{path}` cannot be read, and not put aside ({error}): remove it, `rm {shlex.quote(path)}`"
        else:
            yield f"what could not be read about a halt is `{aside}` now, and holds nothing any more"
    if older and others:
        names = " ".join(each.id[:12] for each in others)
        yield (
            f"`{older}` cannot be read and may be about another container of the sandbox: "
            f"{words.end_by_hand(f'docker rm -f {names}')}; then `rm {shlex.quote(older)}`"
        )
    elif elsewhere:
        commands = "; ".join(_recreate(each, sandbox) for each in elsewhere)
        yield (
            f"`{older}` cannot be read and may be about the sandbox's container on another engine: {commands}; "
            f"then `rm {shlex.quote(older)}`"
        )


def _elsewhere(sandbox: str, here: Collection[str]) -> list[Entry]:
    """The records of what a sandbox was given in other containers than those with the ids `here`, on engines that are
    not gone.
    """
    return [
        each
        for each in given_rights.entries(os.environ)
        if each.sandbox == sandbox and each.container not in ("", *here) and not each.is_gone
    ]


def _recreate(entry: Entry, sandbox: str) -> str:
    """The command, in backticks, that makes the container of a record on another engine anew."""
    variables = f"{entry.engine.before_command()} " if entry.engine is not None else ""
    return f"`{variables}sandboxd up{name_option(sandbox)} --recreate`"


def present(sandbox: str, container: str) -> Halt | None:
    """The open halt of a sandbox's container; None if it is not halted.

    :param sandbox: the sandbox's identity
    :param container: the container's full id
    :raises EnvironmentFailure: the record of halts cannot be read
    """
    return record.open_halt(os.environ, sandbox, container)


def refuse(engine: Engine, container: Summary, inspected: Inspected | None = None) -> None:
    """Refuse to work in a halted sandbox; one that runs without some of its mounts is halted first.

    :param inspected: the engine's description of the container; None: it is asked for
    :raises Halted: the sandbox is halted
    :raises EnvironmentFailure: the record of halts cannot be read, or the sandbox cannot be halted
    """
    if container.state == "exited":
        refuse_halted(engine, container)
    if container.state not in ("running", "paused"):
        return
    sandbox = container.labels.get(PROJECT) or ""
    halt = _open_halt(container, sandbox)
    problem = ""
    try:
        inspected = inspected or engine.inspect(container.id)
    except failures.ContainerGone:
        return
    if halt is None or not inspected["State"].get("Paused"):
        # Also one that somebody resumed: only what it lost counts, not who did that.
        halt = unwatched.compare(engine, inspected, os.environ)
        problem = entries.halted(os.environ, halt) if halt is not None else ""
    if halt is not None:
        raise _halted(engine, container, halt, problem)


def refuse_halted(engine: Engine, container: Summary) -> None:
    """Refuse a container that is halted already; this neither halts nor resumes one.

    :raises Halted: it is halted
    :raises EnvironmentFailure: the record of halts cannot be read
    """
    if container.state not in ("paused", "exited"):
        return
    sandbox = container.labels.get(PROJECT) or ""
    if (halt := _open_halt(container, sandbox)) is not None:
        raise _halted(engine, container, halt)


def came_to(container: str, connect: Callable[[], Engine]) -> words.Halted | None:
    """The error that says that a container is halted, for whoever waits for a command in it; None while it is not.

    :param container: its full id
    :param connect: called for its engine only where it is halted
    """
    halt = record.open_halt_of(os.environ, container)
    if halt is None:
        return None
    with contextlib.suppress(EnvironmentFailure):
        engine = connect()
        for each in engine.containers(f"{PROJECT}={halt.sandbox}"):
            if each.id == container:
                return _halted(engine, each, halt)
    # An engine that is silent does not make it less halted.
    return words.halted(halt)


def _open_halt(container: Summary, sandbox: str) -> Halt | None:
    """The open halt of a container; None where it is not halted.

    :raises Unreadable: the record cannot be read; with the next step for whoever made the container
    """
    try:
        return record.open_halt(os.environ, sandbox, container.id)
    except record.Unreadable as error:
        if _is_ours(container):
            raise
        hint = words.rebuild(container.id)
        if older := record.unreadable(os.environ, sandbox, container.id)[1]:
            hint += f"; then `rm {shlex.quote(older)}`"
        raise record.Unreadable(error.message, hint) from None


def _halted(engine: Engine, container: Summary, halt: Halt, problem: str = "") -> words.Halted:
    """The error that names the halt of a container, and those of the others of its sandbox."""
    error = words.halted(halt, by_editor=not _is_ours(container), problem=problem)
    others = beside(engine, halt.sandbox, container.id)
    return words.Halted("; ".join((error.message, *others)), error.hint, halt)


def beside(
    engine: Engine, sandbox: str, own: str, present: Iterable[Summary] | None = None
) -> list[str]:
    """Sentences about the halts of a sandbox's other containers, each with the command that ends the halt; [] for none.

    :param sandbox: the sandbox's identity
    :param own: the full id of the container to leave out
    :param present: containers, of which those of the sandbox are all that it has, if the caller just listed them; None:
        the engine is asked
    """
    texts = []
    for container in engine.containers(f"{PROJECT}={sandbox}") if present is None else present:
        is_other = container.id != own and container.labels.get(PROJECT) == sandbox
        if not is_other or container.state not in ("paused", "exited"):
            continue
        try:
            halt = _open_halt(container, sandbox)
        except EnvironmentFailure as error:
            texts.append(
                f"of `{container.name}`, on the same folder: {error.message} ({error.hint})"
            )
            continue
        if halt is not None:
            again = words.halted(halt, by_editor=not _is_ours(container)).hint
            texts.append(
                f"`{container.name}`, on the same folder, is halted, too: {words.describe(halt)} ({again})"
            )
    return texts


def _is_ours(container: Summary) -> bool:
    return container.labels.get(MADE_BY) == UP


def end(container: Summary, sandbox: str) -> str:
    """Record that a halted container was removed at the user's request.

    :param sandbox: the sandbox's identity
    :returns: '', or words that say that it is not in the audit record, and why
    """
    try:
        if record.open_halt(os.environ, sandbox, container.id) is None:
            return ""
    except record.Unreadable:
        return "not in the audit record, as its own cannot be read"
    with record.changing(os.environ, sandbox):
        halt = record.open_halt(os.environ, sandbox, container.id)
        # Its owner tells it a moment later, with all that belongs to it.
        problem = entries.halted(os.environ, halt) if halt is not None else ""
        halt = record.end(os.environ, sandbox, container.id, record.Ended.REMADE, time.time())
        return problem or (entries.ended(os.environ, halt) if halt is not None else "")
