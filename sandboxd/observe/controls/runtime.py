"""The program that the engine starts the container by: what counts is the program behind the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "runtime"
PLACE = 10
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    outside = sight.outside
    if not outside.path:
        return (Control(NAME, "not seen", f"the engine does not say what `{outside.runtime}` is"),)
    return (Control(NAME, "in force", _started_by(sight)),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    running = ", and its kernel is seen to run" if sight.outside.sentry else ""
    return (Control(NAME, "in force", f"{_started_by(sight)}{running}"),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _started_by(sight: Sight) -> str:
    outside = sight.outside
    command = " ".join((outside.path, *outside.arguments))
    return f"for `{outside.runtime}` the engine starts `{command}`"
