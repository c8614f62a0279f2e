"""The output of a sandbox's main process, or of one of its project's services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.backend import Backend
    from sandboxd.engine.client import Engine
    from sandboxd.engine.streams import Growing


def logs(
    backend: Backend,
    directory: str,
    write: Callable[[int, bytes], None],
    *,
    name: str = "",
    follow: bool = False,
    tail: str = "all",
    since: int = 0,
    service: str = "",
) -> None:
    """Pass the output to `write` piece by piece, each with its stream: 1 for stdout, 2 for stderr.

    :param name: the sandbox's name; '' for the unnamed one
    :param follow: whether to go on until the process ends
    :param tail: the number of lines from the end, or ``all``
    :param since: only what was written since then, in seconds since 1970; 0 for all
    :param service: the service, as its Compose file names it; '' for the sandbox's main process
    :raises EnvironmentFailure: the project that `directory` lies in has no such sandbox or service, in any state
    """
    from sandboxd.backends.backend import LogRange

    wanted = LogRange(follow, tail, since)
    backend.logs(project_folder(directory), name, service, wanted, write)


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
    from sandboxd.life.find import any_container

    container = any_container(engine, project_folder(directory), name)
    return engine.open_logs(container.id, follow, tail, since)
