"""The end of a container: its work is kept first, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import volumes
from sandboxd.life.states import holds_work, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.engine.client import Engine, Summary

STOP_SECONDS = 5
_GONE_SECONDS = 10.0


def end(
    engine: Engine,
    container: Summary,
    workspace: str,
    progress: Callable[[str], None],
    discard: bool = False,
) -> None:
    """Keep the work in `container`, stop and remove it, and the volumes that pinned its files.

    :param discard: throw the work away
    :raises EnvironmentFailure: the work cannot be kept, and the container stays; or it does not end
    """
    from sandboxd.review import rescue

    pins = volumes.pins(engine, container.id)
    with _blame_the_right_one(engine, container.name):
        if holds_work(container.state):
            container = settle(engine, container)
        if holds_work(container.state) and container.state != "removed":
            if not discard:
                rescue.before_end(engine, container.id, workspace, progress)
            with contextlib.suppress(failures.ContainerGone):
                engine.stop(container.id, STOP_SECONDS)
        remove(engine, container.id)
    for volume in pins:
        engine.remove_volume(volume)


def remove(engine: Engine, container: str) -> None:
    """Remove a container, also one that is being started or removed at this moment.

    An engine that removes what it is starting says that it does not run, and leaves it.

    :raises EnvironmentFailure: it is still there
    """
    deadline = time.monotonic() + _GONE_SECONDS
    while True:
        engine.remove(container)
        try:
            state = engine.inspect(container)["State"].get("Status")
        except failures.ContainerGone:
            return
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                f"the engine does not remove `{container[:12]}`, which is {state}",
                f"remove it yourself: `docker rm -f {container[:12]}`",
            )
        time.sleep(0.1)


@contextlib.contextmanager
def _blame_the_right_one(engine: Engine, name: str) -> Iterator[None]:
    """Turn the engine's silence on one container into words on that container.

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
            "lets a frozen one go on; then run `sandboxd down` again, or throw the work away: "
            "`sandboxd down --discard`",
        ) from None
