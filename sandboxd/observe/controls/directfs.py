"""Directfs under gVisor: with it the sandbox holds descriptors of the host; it is on unless a flag says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.host.facts import PINS
from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "no directfs"
PLACE = 110
PROOF = ("pin-truncate", "pin-truncate-reading")


def on_linux(_sight: Sight) -> tuple[Control, ...]:
    return ()


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    if "--directfs=false" in sight.outside.flags:
        by = "the running kernel's flags say" if sight.outside.sentry else "it is registered with"
        return (Control(NAME, "in force", f"{by} `--directfs=false`"),)
    if sight.outside.holds(*PINS):
        return (Control(NAME, "left out", "on: under this build read-only mounts hold with it"),)
    return (Control(NAME, "not in force", "no flag turns it off"),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    is_on = any("directfs" in file_system for _, _, file_system in inside.mounts)
    return {NAME: "a mount says `directfs`"} if sight.outside.is_gvisor and is_on else {}
