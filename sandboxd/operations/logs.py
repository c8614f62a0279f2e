"""The output of a sandbox's main process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.client import Engine


def logs(
    engine: Engine, directory: str, *, follow: bool = False, tail: str = "all"
) -> Iterator[tuple[int, bytes]]:
    """Pieces of it: 1 for stdout, 2 for stderr.

    :param follow: go on until it ends
    :param tail: only this many lines from the end, or ``all``
    :raises EnvironmentFailure: the project that `directory` lies in has no sandbox, in no state
    """
    from sandboxd.life.find import project_containers

    directory = project_folder(directory)
    containers = project_containers(engine, directory)
    if not containers:
        raise EnvironmentFailure(f"`{directory}` has no sandbox", "start it: `sandboxd up`")
    return engine.logs(containers[0].id, follow, tail)
