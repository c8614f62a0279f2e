"""Uses the container of an earlier start again, if it still is what the plan asks for."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.life import egress, mounted, overlaps, private_copy, sources, ways_past
from sandboxd.life.end import remove
from sandboxd.life.states import settle
from sandboxd.model.labels import SOURCES
from sandboxd.review import collect, stop_notes

if TYPE_CHECKING:
    from sandboxd.engine.client import Summary
    from sandboxd.life.starting import How, Start
    from sandboxd.model.engine_answers import Inspected


class Reused(NamedTuple):
    """A container that runs again: how it was brought to run, and the engine's description of it afterwards."""

    how: How
    inspected: Inspected


def reuse(start: Start, old: Summary) -> Reused | str:
    """Make the existing container `old` run, if it was created from the same plan; otherwise return why not, in words.

    :raises EnvironmentFailure: the engine or the gateway fails
    """
    if any(old.labels.get(key) != value for key, value in start.identity.items()):
        return "the plan or the image changed"
    if old.state == "exited" and sources.on_this_machine(start.engine):
        # What gets a number of its own counts as replaced, so that a new container is made.
        mounted.part_pinned(start.plan, start.progress)
    replaced = mounted.replaced(old.labels.get(SOURCES, ""), start.plan.workspace)
    if replaced:
        return f"`{replaced[0]}` was replaced on the host, which took its mount away"
    start.allowed()
    state = settle(start.engine, old).state
    if state == "running":
        inspected = start.engine.inspect(old.id)
        # The engine's list can be older than its answer to a stop.
        state = inspected["State"]["Status"]
        if state == "running":
            return _running(start, old, inspected)
    if state == "exited":
        overlaps.refuse(start.engine, start.plan, old.id)
        with contextlib.suppress(failures.CannotStart):
            with egress.beside(start.engine, start.beside, start.progress):
                inspected = _start_again(start, old.id)
            return Reused("restarted", inspected)
        return "it does not start again"
    return f"it is half-made ({state})"


def _running(start: Start, old: Summary, inspected: Inspected) -> Reused | str:
    if not private_copy.is_whole(start.engine, old.id, start.plan):
        return "an earlier start was interrupted before its private copy was whole"
    is_resumed = old.state == "paused"
    if stop_notes.is_noted(os.environ, old.id):
        # An end of it was killed after its work was kept.
        if not collect.let_go_on(start.engine, old.id):
            return "its processes are stopped, and do not continue"
        is_resumed = True
    if start.beside is not None:
        if others := ways_past.other_networks(inspected, start.beside):
            return f"it was put on `{others[0]}`, which leads past its gateway"
        egress.follow(start.engine, start.beside, start.progress)
    return Reused("resumed" if is_resumed else "already running", inspected)


def _start_again(start: Start, container: str) -> Inspected:
    """Start a container that was stopped and fill its memory; when that fails, the container goes.

    :raises CannotStart: it does not start
    """
    engine, plan = start.engine, start.plan
    opened: tuple[mounted.Source, ...] = ()
    if sources.on_this_machine(engine):
        opened = mounted.open_sources(engine.inspect(container)["HostConfig"].get("Mounts") or [])
    start.allowed()
    engine.start(container)
    try:
        inspected = engine.inspect(container)
        ways_past.refuse_other_networks(inspected, start.beside)
        mounted.require_same(opened, inspected["State"], start.progress, gvisor=plan.gvisor)
        private_copy.make(engine, container, plan, start.progress)
    except BaseException:
        remove(engine, container)
        raise
    return inspected
