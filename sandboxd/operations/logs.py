"""The output of a sandbox's main process, or of one of its project's services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.client import Engine
    from sandboxd.engine.streams import Growing


def logs(
    engine: Engine,
    directory: str,
    *,
    name: str = "",
    follow: bool = False,
    tail: str = "all",
    since: int = 0,
    service: str = "",
) -> Iterator[tuple[int, bytes]]:
    """Yield the pieces of the output, each with its stream: 1 for stdout, 2 for stderr.

    :param name: the sandbox's name; '' for the unnamed one
    :param follow: whether to go on until the process ends
    :param tail: the number of lines from the end, or ``all``
    :param since: only what was written since then, in seconds since 1970; 0 for all
    :param service: the service, as its Compose file names it; '' for the sandbox's main process
    :raises EnvironmentFailure: the project that `directory` lies in has no such sandbox or service, in any state
    """
    container = _container(engine, directory, name)
    if service:
        container = _service(engine, container, service)
    return engine.logs(container, follow, tail, since)


def open_logs(
    engine: Engine,
    directory: str,
    *,
    name: str = "",
    follow: bool = False,
    tail: str = "all",
    since: int = 0,
) -> Growing | None:
    """The output as a connection that another process can read; None if the caller has to use `logs`.

    :raises EnvironmentFailure: as `logs`
    """
    return engine.open_logs(_container(engine, directory, name), follow, tail, since)


def _container(engine: Engine, directory: str, name: str) -> str:
    from sandboxd.life import find

    directory = project_folder(directory)
    containers = find.project_containers(engine, directory, name)
    if not containers:
        which = f"sandbox `{name}`" if name else "sandbox"
        here = os.path.realpath(directory)
        others = [] if name else find.names_beside(engine, here)
        hint = find.how_to_start(here, name, others)
        raise EnvironmentFailure(f"`{directory}` has no {which}", hint)
    return containers[0].id


def _service(engine: Engine, sandbox: str, service: str) -> str:
    from sandboxd.life import services
    from sandboxd.model.labels import PROJECT

    workspace = (engine.inspect(sandbox)["Config"].get("Labels") or {}).get(PROJECT, "")
    prefix = services.name_of(workspace, "")
    present = {each.name.removeprefix(prefix): each.id for each in services.find(engine, workspace)}
    name = service.lower()
    if name not in present:
        others = ", ".join(f"`{other}`" for other in sorted(present))
        raise EnvironmentFailure(
            f"there is no service `{service}` beside this sandbox",
            f"there are {others}" if others else "`sandboxd up` starts those of its Compose files",
        )
    return present[name]
