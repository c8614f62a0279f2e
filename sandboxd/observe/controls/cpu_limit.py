"""The most processors that the sandbox gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.controls._sight import by_whom, limit

if TYPE_CHECKING:
    from sandboxd.observe.control import Control
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "cpu limit"
PLACE = 150
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    return _control(sight)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    return _control(sight)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _control(sight: Sight) -> tuple[Control, ...]:
    cpus = sight.outside.cpus
    noun = "processor" if cpus == 1 else "processors"
    text = f"{cpus:g} {noun}, {by_whom(sight)}" if cpus else ""
    return limit(NAME, text, sight.live.cpus)
