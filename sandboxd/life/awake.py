"""Starts a stopped sandbox so that its private copy can be read, and stops it again; its agent is not started."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import mounted, sources
from sandboxd.life.lock import project_lock
from sandboxd.model.labels import PROJECT
from sandboxd.observe import outside
from sandboxd.review import copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.engine.client import Engine, Summary

_GRACE_SECONDS = 1


def has_lasting_copy(engine: Engine, container: Summary) -> bool:
    """Whether the volume with the private copy of a stopped container still exists and is complete."""
    volume = copies.copy_of(engine, engine.inspect(container.id))
    return volume is not None and copies.whole_since(volume) is not None


def keep_work(
    engine: Engine, container: Summary, sandbox: str, progress: Callable[[str], None]
) -> None:
    """Save the changes in a stopped container's private copy, if it has one in a volume, before the container is
    removed.

    A sandbox that cannot start does not prevent the removal: that is reported, and the copy stays in its volume.

    :param sandbox: the sandbox's identity; the caller holds its project lock
    :param progress: called with each message for the user
    :raises NoAnswer: the engine does not answer
    """
    from sandboxd.review import rescue

    try:
        if not has_lasting_copy(engine, container):
            return
        with (
            _started(engine, container, progress),
            rescue.before_end(engine, container.id, sandbox, progress),
        ):
            pass
    except failures.ContainerGone:
        return
    except (EnvironmentFailure, UsageError) as error:
        if isinstance(error, failures.NoAnswer) and not engine.answers():
            raise
        progress(f"its changes cannot be shown before it runs again: {error.message}")


@contextlib.contextmanager
def awake(engine: Engine, container: Summary, progress: Callable[[str], None]) -> Iterator[None]:
    """Run a stopped container as long as the block runs: only its main process, without the gateway.

    :raises EnvironmentFailure: it does not start, or another folder than the recorded one was mounted
    """
    with project_lock(container.labels[PROJECT], progress), _started(engine, container, progress):
        yield


@contextlib.contextmanager
def _started(engine: Engine, container: Summary, progress: Callable[[str], None]) -> Iterator[None]:
    inspected = engine.inspect(container.id)
    opened: tuple[mounted.Source, ...] = ()
    if sources.on_this_machine(engine):
        opened = mounted.open_sources(inspected["HostConfig"].get("Mounts") or [])
    progress(f"`{container.name}` is stopped: starting it for a look")
    engine.start(container.id)
    try:
        inspected = engine.inspect(container.id)
        is_hidden = outside.look(engine, inspected).is_gvisor
        pid = inspected["State"].get("Pid") or 0
        if not is_hidden:
            mounted.compare(opened, pid)
        yield
    finally:
        with contextlib.suppress(failures.ContainerGone):
            engine.stop(container.id, _GRACE_SECONDS)
