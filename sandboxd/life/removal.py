"""Waits for an engine that removes a large container or volume: it deletes each file."""

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
"""A folder of a million files was gone after two minutes on a disk that is not fast."""

_LOOK_SECONDS = 0.2
_WORD_SECONDS = 10.0


def silent(_line: str) -> None:
    """Drop progress."""


def is_going(engine: Engine, container: str) -> bool:
    """Whether the engine says that it is removing a container."""
    try:
        return engine.inspect(container)["State"].get("Status") == "removing"
    except failures.ContainerGone:
        return True
    except failures.NoAnswer:
        return False


def container(engine: Engine, name: str, progress: Callable[[str], None] = silent) -> None:
    """Wait until a container is gone that the engine removes.

    :raises EnvironmentFailure: it is still there after `LONGEST_SECONDS`, or the engine does not answer
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
    """Remove a volume like `Engine.remove_volume`, however long it takes; False also if an earlier call removed it."""
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
    """The answer of `ask`, repeated while it is None, or does not come although the engine itself answers.

    An engine answers no question about volumes while it deletes the files of one.

    :param what: what is waited for, in words
    :param command: a command by which a person can look
    :raises EnvironmentFailure: there is no answer after `LONGEST_SECONDS`, or the engine does not answer
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
