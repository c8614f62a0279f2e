"""Whether a gVisor sandbox may open Unix sockets of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "no host sockets"
PLACE = 120
PROOF: tuple[str, ...] = ()


def on_linux(_sight: Sight) -> tuple[Control, ...]:
    return ()


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    how = sight.outside.opens_host_sockets()
    if how:
        return (Control(NAME, "not in force", f"opened by {how}"),)
    return (Control(NAME, "in force", "host-uds is not set"),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}
