"""Waits while an engine removes a large container or volume, of which it deletes file by file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine

T = TypeVar("T")

LONGEST_SECONDS = 900.0
"""The time limit. A folder of a million files took two minutes on a slow disk."""

_LOOK_SECONDS = 0.2
_WORD_SECONDS = 10.0


def silent(_line: str) -> None:
    """A progress callback that does nothing."""


def is_going(engine: Engine, container: str) -> bool:
    """Whether the engine is removing a container at this moment."""
    try:
        return engine.inspect(container)["State"].get("Status") == "removing"
    except failures.ContainerGone:
        return True
    except failures.NoAnswer:
        return False


def container(engine: Engine, name: str, progress: Callable[[str], None] = silent) -> None:
    """Wait until the engine has removed a container whose removal has begun.

    :raises EnvironmentFailure: it still exists after `LONGEST_SECONDS`, or the engine does not answer
    """

    def is_gone() -> bool | None:
        try:
            engine.inspect(name)
        except failures.ContainerGone:
            return True
        return None

    short = name[:12]
    patiently(engine, is_gone, f"removing `{short}`", f"docker inspect {short}", progress)


def volume(engine: Engine, name: str, progress: Callable[[str], None] = silent) -> bool:
    """Remove a volume, however long it takes.

    :returns: what `Engine.remove_volume` returns; False also if an earlier call had removed the volume already
    """
    return patiently(
        engine,
        lambda: engine.remove_volume(name),
        f"removing the volume `{name}`",
        f"docker volume inspect {name}",
        progress,
    )


def patiently(
    engine: Engine,
    ask: Callable[[], T | None],
    what: str,
    command: str,
    progress: Callable[[str], None] = silent,
) -> T:
    """Call `ask` until it returns something other than None, and return that.

    It is called again, too, when the engine gives no answer to this question but answers others: while it deletes the
    files of a volume, it answers none about volumes.

    :param what: what is waited for, in words
    :param command: a command with which a user can look at it
    :raises EnvironmentFailure: no answer came within `LONGEST_SECONDS`, or the engine answers nothing at all
    """
    began = time.monotonic()
    next_word = began + _WORD_SECONDS
    while True:
        try:
            if (answer := ask()) is not None:
                return answer
        except failures.NoAnswer:
            if not engine.answers():
                raise
        now = time.monotonic()
        if now - began > LONGEST_SECONDS:
            raise EnvironmentFailure(
                f"{what} did not end within {LONGEST_SECONDS / 60:.0f} minutes",
                f"see what is there: `{command}`; then run the command again",
            )
        if now >= next_word:
            progress(f"{what}, which is large: {now - began:.0f} s so far")
            next_word = now + _WORD_SECONDS
        time.sleep(_LOOK_SECONDS)
