"""Makes a project's container anew; an attempt that fails leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import (
    device_files,
    egress,
    journal,
    lasting,
    mounted,
    private_copy,
    sources,
    volumes,
    ways_past,
)
from sandboxd.life.end import remove
from sandboxd.life.starting import Running
from sandboxd.model.labels import MADE_BY, SOURCES, START, STUBS, UP
from sandboxd.sync import is_used

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.engine.client import Engine
    from sandboxd.life.starting import How, Start
    from sandboxd.model.engine_answers import CreateRequest, Inspected, State


def create(start: Start, body: CreateRequest, stubs_before: Iterable[str], how: How) -> Running:
    """Create the container of `body`, with the volumes, the gateway and the placeholder files it needs, and start it.

    :param stubs_before: placeholders that earlier containers of the project left in the workspace
    :param how: what the result says in `Running.how`
    :raises EnvironmentFailure: it cannot be created, or does not run as planned
    """
    from sandboxd.credentials.uses import files
    from sandboxd.plan import stubs

    engine, plan, beside, progress = start.engine, start.plan, start.beside, start.progress
    known = volumes.Known(engine)
    lasting.ensure(engine, plan, progress, known)
    volumes.refuse_other_device(engine, body, known)
    if beside is not None:
        egress.add_to(body, beside.joined, engine, files(plan.credentials, plan.workspace))
    progress(f"starting `{plan.container.name}` from `{body['Image']}`")
    journal.note(plan.sandbox, {*stubs_before, *journal.absent(plan.workspace, plan.stubs_of_up)})
    created = stubs.make(plan.workspace, plan.stubs_of_up)
    of_it = {*created, *stubs_before}
    number = secrets.token_hex(8)
    with _nothing_left_of_failure(start, number, of_it):
        body["Labels"] |= {**start.identity, MADE_BY: UP, START: number}
        if of_it:
            body["Labels"][STUBS] = ":".join(sorted(of_it))
        with (
            egress.leaving(engine, plan.sandbox)
            if beside is None
            else egress.beside(engine, beside, progress, number)
        ):
            inspected = _create(start, body, known)
            private_copy.make(engine, str(inspected["Id"]), plan, progress)
        sick = egress.start_services(engine, plan, beside, inspected, number, progress, start.check)
    journal.clear(plan.sandbox)
    lost = ways_past.lost(engine, beside)
    return Running(str(inspected["Id"]), plan.container.name, how, inspected, lost, sick, created)


@contextlib.contextmanager
def _nothing_left_of_failure(start: Start, number: str, stub_paths: set[str]) -> Iterator[None]:
    """Take away what the block made, if it fails.

    :param number: the random number of the start
    :param stub_paths: the stand-ins that its container needed
    """
    from sandboxd.plan import stubs

    try:
        yield
    except BaseException:
        for half_made in start.engine.containers(f"{START}={number}"):
            remove(start.engine, half_made.id)
        egress.leave(start.engine, start.plan.sandbox)
        stubs.remove(start.plan.workspace, stub_paths)
        journal.clear(start.plan.sandbox)
        raise


def _create(start: Start, body: CreateRequest, known: volumes.Known) -> Inspected:
    """Create the container, check it before any program of it runs, then start it."""
    from sandboxd.life.user import refuse_root

    engine, plan = start.engine, start.plan
    mounts = body["HostConfig"].get("Mounts") or []
    opened: tuple[mounted.Source, ...] = ()
    if sources.on_this_machine(engine):
        mounted.part_pinned(plan, start.progress)
        opened = mounted.open_sources(mounts)
        body["Labels"][SOURCES] = mounted.note(opened)
    # Asked before: what is new afterwards was filled from the image.
    old = device_files.leave_old_volumes(known, body) if plan.gvisor else frozenset()
    container = _created(engine, plan.container.name, body)
    sources.check(engine, container, mounts)
    points = volumes.points(engine, container, plan)
    volumes.refuse_image_volumes(points, plan)
    if plan.gvisor:
        device_files.refuse(engine, container, points, old, start.progress)
    refuse_root(engine, container, plan)
    lasting.give(engine, container, plan)
    if plan.synced is not None or is_used(os.environ):
        from sandboxd.life import synced_copy

        synced_copy.note(os.environ, plan, container)
    start.allowed()
    engine.start(container)
    inspected = engine.inspect(container)
    state = inspected["State"]
    if not state.get("Running"):
        raise _error_of_end(engine, container, state)
    ways_past.refuse_other_networks(inspected, start.beside)
    mounted.require_same(opened, state, start.progress, gvisor=plan.gvisor)
    return inspected


def _created(engine: Engine, name: str, body: CreateRequest) -> str:
    """The id of a new container that does not run yet."""
    try:
        return engine.create(name, body)
    except failures.NameTaken as error:
        raise _foreign(engine, name, error) from None
    except failures.SourceMissing as error:
        if sources.on_this_machine(engine):
            raise
        raise sources.elsewhere(engine, error.path, "it is not there") from None


def _foreign(engine: Engine, name: str, error: EnvironmentFailure) -> EnvironmentFailure:
    """A better error when the container that has the name is ours after all, made by another user."""
    labels = engine.inspect(name)["Config"].get("Labels") or {}
    if labels.get(MADE_BY) == UP:
        return EnvironmentFailure(
            f"`{name}` is being made by another user's sandboxd", "run `sandboxd up` again"
        )
    return error


def _error_of_end(engine: Engine, container: str, state: State) -> EnvironmentFailure:
    words = b"".join(piece for _, piece in engine.logs(container, follow=False, tail="5"))
    text = " ".join(words.decode("utf-8", "replace").split())[:300]
    reason = "out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
    return failures.CannotStart(
        f"the container ended at once ({reason})" + (f": {text}" if text else ""),
        "the image needs `sh` and `sleep`; or give the plan a command of its own",
    )
