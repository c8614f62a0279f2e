"""The most memory that the sandbox gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.controls._sight import by_whom, limit

if TYPE_CHECKING:
    from sandboxd.observe.control import Control
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "memory limit"
PLACE = 140
PROOF = ("memory-limit",)


def on_linux(sight: Sight) -> tuple[Control, ...]:
    return _control(sight)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    return _control(sight)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _control(sight: Sight) -> tuple[Control, ...]:
    memory = sight.outside.memory
    text = f"{memory >> 20} MiB, {by_whom(sight)}" if memory else ""
    return limit(NAME, text, sight.live.memory)
