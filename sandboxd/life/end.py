"""Ends a container: its work is kept first, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.halt.words import end_by_hand
from sandboxd.host import runtime_processes
from sandboxd.life import awake, halts, removal, volumes
from sandboxd.life.states import holds_work, settle
from sandboxd.model.sandbox_id import name_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.engine.client import Engine, Summary

STOP_SECONDS = 5
_GONE_SECONDS = 10.0
_MOST_KILLS = 3


def end(
    engine: Engine,
    container: Summary,
    sandbox: str,
    progress: Callable[[str], None],
    discard: bool = False,
) -> None:
    """Keep the work in `container`, stop and remove it, and the volumes that pinned its files.

    :param sandbox: its identity
    :param discard: throw the work away
    :raises EnvironmentFailure: the work cannot be kept, and the container stays; or it does not end
    """
    from sandboxd.life import synced_copy
    from sandboxd.review import rescue

    pins = volumes.pins(engine, container.id)
    with _blame_the_right_one(engine, container.name, name_option(sandbox)):
        if halts.must_not_resume(engine, container):
            # Never resumed: what it lost its mount on could be written until it ends. Its work is on the host.
            remove(engine, container.id, by_force=discard, progress=progress)
            if problem := halts.end(container, sandbox):
                progress(f"its halt has ended, and that is {problem}")
            container = container._replace(state="removed")
        elif holds_work(container.state):
            container = settle(engine, container)
        if container.state == "removing":
            # Its memory is gone already: somebody else removes it, or a run that was interrupted.
            removal.container(engine, container.id, progress)
            container = container._replace(state="removed")
        if holds_work(container.state) and container.state != "removed":
            # Remove a container whose work is not kept, whether or not it reacts to a request to end.
            silent = (failures.NoAnswer,) if discard else ()
            copying = synced_copy.before_end(engine, os.environ, sandbox, container.id, progress)
            keeping = rescue.before_end(engine, container.id, sandbox, progress)
            with (
                contextlib.nullcontext() if discard else copying,
                contextlib.nullcontext() if discard else keeping,
                contextlib.suppress(failures.ContainerGone, *silent),
            ):
                engine.stop(container.id, STOP_SECONDS)
        elif not discard and container.state == "exited":
            # As a restart of the engine leaves it: nobody kept its work yet.
            awake.keep_work(engine, container, sandbox, progress)
        remove(engine, container.id, by_force=discard, progress=progress)
    for line in halts.put_records_aside(engine, container, sandbox):
        progress(line)
    for volume in pins:
        removal.volume(engine, volume, progress)


def remove(
    engine: Engine,
    container: str,
    by_force: bool = False,
    progress: Callable[[str], None] = removal.silent,
) -> None:
    """Remove a container, even one that is being started or removed at this moment.

    An engine that removes what it is starting says that it does not run, and leaves it. One that kills a paused
    gVisor may say that it cannot, and see its end a moment later.

    :param by_force: kill the processes of a container that the engine cannot remove
    :raises EnvironmentFailure: it is still there
    """
    deadline = time.monotonic() + _GONE_SECONDS
    for attempt in itertools.count(1):
        try:
            _remove(engine, container, by_force, progress)
        except failures.StillEnding:
            # The engine itself waited for ten seconds each time.
            if attempt == _MOST_KILLS:
                raise
            continue
        try:
            state = engine.inspect(container)["State"].get("Status")
        except failures.ContainerGone:
            return
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                f"the engine does not remove `{container[:12]}`, which is {state}",
                f"remove it yourself: {end_by_hand(f'docker rm -f {container[:12]}')}",
            )
        time.sleep(0.1)


def _remove(
    engine: Engine, container: str, by_force: bool, progress: Callable[[str], None]
) -> None:
    """Remove a container; by force, one that hangs loses its shim and its gVisor first.

    One that is large is waited for. An old gVisor that ran out of memory is dead, while its shim, and so the engine, says that it runs.

    :param container: its whole id
    :raises EnvironmentFailure: its processes are another user's, or the engine does not answer
    """
    try:
        engine.remove(container)
        return
    except failures.NoAnswer:
        if not engine.answers():
            raise
        if removal.is_going(engine, container):
            removal.container(engine, container, progress)
            return
        if not by_force or not engine.is_local:
            raise
    ended, others = runtime_processes.end(container)
    if others and not ended:
        pids = " ".join(str(pid) for pid in others)
        raise EnvironmentFailure(
            f"the engine cannot end `{container[:12]}`, whose runtime does not react",
            f"end its processes: `sudo kill -9 {pids}`, then run `sandboxd down` again",
        )
    # The removal that hung goes on by itself; another one beside it would be refused.
    deadline = time.monotonic() + _GONE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            engine.inspect(container)
        except failures.ContainerGone:
            return


@contextlib.contextmanager
def _blame_the_right_one(engine: Engine, name: str, option: str) -> Iterator[None]:
    """Turn the engine's silence about one container into an error that names that container.

    :param option: what `sandboxd down` needs as further arguments to mean its sandbox
    :raises EnvironmentFailure: the container does not end, or the engine does not answer at all
    """
    try:
        yield
    except failures.NoAnswer:
        if not engine.answers():
            raise
        raise EnvironmentFailure(
            f"`{name}` does not react, while the engine itself answers",
            f"see what holds it (`docker inspect {name}`, `docker top {name}`); `docker unpause {name}` "
            f"lets a frozen one go on; then run `sandboxd down{option}` again, or throw the work away: "
            f"`sandboxd down{option} --discard`",
        ) from None
