"""The private copy of a workspace in a container, and the mark that says that it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.plan.layout import MARK

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine

# A copy of a large workspace into memory takes long.
_COPY_SECONDS = 300.0


def make(engine: Engine, container: str, command: tuple[str, ...]) -> None:
    """Run the `command` that copies.

    :raises CannotStart: the workspace could not be copied; the container is of no use
    """
    code, output = run_quietly(engine, container, Exec(command), _COPY_SECONDS)
    if code:
        words = " ".join(output.decode("utf-8", "replace").split())[:300]
        raise failures.CannotStart(
            f"the workspace could not be copied into the sandbox: {words or f'exit code {code}'}",
            "`sandboxd explain-plan` shows how large a copy may be; the image needs `tar` or `cp`",
        )


def is_whole(engine: Engine, container: str) -> bool:
    """Whether the copy in a running container was finished; its own shell is asked.

    :raises EnvironmentFailure: the container does not answer
    """
    code, _ = run_quietly(engine, container, Exec(["sh", "-c", '[ -e "$1" ]', "sh", MARK]))
    return code == 0
