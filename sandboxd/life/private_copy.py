"""Makes the private copy of a workspace in a container, and checks that it is complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.life import lasting, timeline
from sandboxd.plan.layout import COPY_REPOSITORY, MARK, REPOSITORY
from sandboxd.review import copies, host_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan

# A copy of a large workspace takes long.
_COPY_SECONDS = 300.0


def make(engine: Engine, container: str, plan: Plan) -> None:
    """Copy the workspace inside the container, if `plan` works on a private copy and no complete one exists.

    :raises CannotStart: the workspace could not be copied; the container cannot be used
    """
    volume = lasting.copy_of(engine, plan)
    if not plan.prepare or (volume is not None and copies.whole_since(volume)):
        return
    host_times.note(
        plan.sandbox, copies.of_container(engine, engine.inspect(container)), plan.workspace
    )
    for command in _commands(plan, volume is None):
        with timeline.span("copy", "copy the workspace"):
            code, output = run_quietly(engine, container, Exec(command), _COPY_SECONDS)
        if code:
            words = " ".join(output.decode("utf-8", "replace").split())[:300]
            raise failures.CannotStart(
                f"the workspace could not be copied into the sandbox: {words or f'exit code {code}'}",
                "`sandboxd explain-plan` shows how large a copy may be; the image needs `tar` or `cp`",
            )
    if volume is not None:
        copies.note_whole(volume)


def _commands(plan: Plan, marks: bool) -> Iterator[tuple[str, ...]]:
    """The commands that copy; where a file inside marks a complete copy, the last of them makes it."""
    if marks and plan.repository is None:
        yield plan.prepare
        return
    yield tuple(os.devnull if word == MARK else word for word in plan.prepare)
    if plan.repository is not None:
        target = plan.prepare[-2]
        yield (*COPY_REPOSITORY, REPOSITORY, target, plan.repository_name)
    if marks:
        yield ("sh", "-c", ': > "$1"', "sh", MARK)


def is_whole(engine: Engine, container: str, plan: Plan) -> bool:
    """Whether the private copy in a running container is complete; True if `plan` has none.

    For a copy in memory, a shell in the container is asked.

    :raises EnvironmentFailure: the container does not answer
    """
    if not plan.prepare:
        return True
    volume = lasting.copy_of(engine, plan)
    if volume is not None:
        return copies.whole_since(volume) is not None
    code, _ = run_quietly(engine, container, Exec(["sh", "-c", '[ -e "$1" ]', "sh", MARK]))
    return code == 0
