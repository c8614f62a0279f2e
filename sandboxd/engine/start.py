"""Starts a container that the engine has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures

if TYPE_CHECKING:
    from sandboxd.engine.connection import Connection


def start(engine: Connection, container: str, seconds: float) -> None:
    """Start a container; no error when it runs already.

    Where the runtime lost its own process before a program of the container ran, it is started once more: busy machines
    have that at times, and nothing has happened by then.

    :param seconds: the time limit for the engine's answer
    :raises EngineFailure: it cannot be started
    """
    try:
        _start(engine, container, seconds)
    except failures.LostInit as lost:
        try:
            _start(engine, container, seconds)
        except failures.ContainerGone:
            # It was to be removed at its end.
            raise lost from None


def _start(engine: Connection, container: str, seconds: float) -> None:
    with engine.asking(seconds) as session:
        session.start(container)
