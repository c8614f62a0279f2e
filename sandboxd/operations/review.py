"""The changes that a sandbox made in its private copy of the workspace.

The operation only collects them into a file. The command or the editor reads it and asks the user.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.backend import Collected
from sandboxd.engine.interruption import lines, never, silent
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.backends.backend import Backend
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.operations.request import Request
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item

NEEDS_FACTS = False


class Reviewed(NamedTuple):
    """The changes, each with a judgement.

    `ended` is how many seconds ago the sandbox ended; None if it runs.
    """

    changes: Changes
    items: tuple[Item, ...]
    ended: float | None


def serve(request: Request) -> Collected:
    """Run `collect` with `SandboxOptions`."""
    options = request.read_options(SandboxOptions)
    return collect(
        request.backend,
        request.directory,
        name=options.name,
        progress=request.progress,
        cancel=request.cancel,
    )


def collect(
    backend: Backend,
    directory: str,
    *,
    name: str = "",
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Collected:
    """Collect the changes of the sandbox `name` of the project that `directory` lies in, or find those saved at its
    end.

    :raises SandboxdError: as `Backend.collect`
    """
    cancel = cancel or never()
    tell = lines(progress, cancel)
    return backend.collect(project_folder(directory), name, tell=tell, cancel=cancel)


@contextlib.contextmanager
def reviewed(collected: Collected, *, keep: bool = False) -> Iterator[Reviewed]:
    """Read the collected changes and judge each; for a running sandbox the file is removed at the end of the context.

    :param keep: keep that file in the user's state folder
    :raises EnvironmentFailure: they are not plausible
    """
    from sandboxd.review import changes, weigh

    try:
        read = changes.read(collected.path)
        yield Reviewed(read, weigh.items(read), collected.ended)
    finally:
        if collected.ended is None and not keep:
            with contextlib.suppress(OSError):
                os.unlink(collected.path)
