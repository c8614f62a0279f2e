"""The changes that a sandbox made in its private copy of the workspace."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.operations._folder import project_folder
from sandboxd.operations.interruption import interruptible, never

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.client import Engine
    from sandboxd.operations.interruption import Cancel
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item


class Reviewed(NamedTuple):
    """The changes, and each of them weighed.

    `ended` is how many seconds ago the sandbox ended that they were kept of; None: it runs.
    """

    changes: Changes
    items: tuple[Item, ...]
    ended: float | None


@contextlib.contextmanager
def review(
    engine: Engine, directory: str, *, keep: bool = False, cancel: Cancel | None = None
) -> Iterator[Reviewed]:
    """The changes of the running sandbox of the project that `directory` lies in, else the newest kept.

    :param keep: those of a running sandbox stay in the user's state folder
    :raises UsageError: there is nothing to review
    :raises EnvironmentFailure: they cannot be had, or cannot be believed
    """
    from sandboxd.life import find
    from sandboxd.model.labels import PROJECT
    from sandboxd.review import changes, collect, weigh

    engine = interruptible(engine, cancel or never())
    directory = project_folder(directory)
    containers = find.project_containers(engine, directory)
    if containers and containers[0].state == "paused":
        raise UsageError(
            "the sandbox is paused, and nothing in it can be read",
            "`sandboxd up` lets it go on; `sandboxd down` keeps its changes and ends it",
        )
    if not containers or containers[0].state != "running":
        streams = collect.streams_of(os.path.realpath(directory))
        if not streams:
            raise UsageError(
                "no sandbox runs here, and nothing was kept of one", "start it: `sandboxd up`"
            )
        newest = changes.read(streams[0])
        yield Reviewed(newest, weigh.items(newest), collect.age(streams[0]))
        return
    inspected = engine.inspect(containers[0].id)
    if not collect.is_copy(inspected):
        raise UsageError(
            "this sandbox works on your folder itself: there is nothing to bring",
            'see it with `git diff`; for a private copy: `[workspace] layout = "clone"` in '
            "sandboxd.toml",
        )
    made = collect.collect(engine, inspected, containers[0].labels[PROJECT])
    try:
        yield Reviewed(made, weigh.items(made), None)
    finally:
        if not keep:
            with contextlib.suppress(OSError):
                os.unlink(made.path)
