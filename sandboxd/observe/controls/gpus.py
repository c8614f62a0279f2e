"""Graphics processors: what of the host's graphics driver is inside."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "GPU"
PLACE = 135
PROOF: tuple[str, ...] = ()

_DEVICES = "/dev/nvidia"
"""Prefix of the paths that NVIDIA's toolkit mounts from the host for each device and for the driver."""


def on_linux(sight: Sight) -> tuple[Control, ...]:
    requested = sight.live.gpus
    if sight.process is None:
        return blind(NAME) if requested is not None else ()
    present = _devices(sight.process)
    if requested is None:
        if not present:
            return ()
        return (Control(NAME, "not in force", f"none was asked for, and inside is {present}"),)
    if not present:
        # CDI makes devices by other means than a mount.
        why = f"`{requested.value}` was asked for, and no device is among the mounts inside"
        return (Control(NAME, "not seen", why),)
    return (Control(NAME, "open", f"`{requested.value}` was asked for; inside is {present}"),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    requested = sight.live.gpus
    if requested is None:
        return ()
    if not sight.outside.sentry:
        return (Control(NAME, "not seen", "the flags of its kernel are not seen"),)
    passes = any(flag in ("--nvproxy", "--nvproxy=true") for flag in sight.outside.sentry)
    if not passes:
        why = "it was asked for, and gVisor's kernel was started without `--nvproxy`"
        return (Control(NAME, "not in force", why),)
    why = f"`{requested.value}` was asked for; gVisor's kernel passes calls on to the driver"
    return (Control(NAME, "open", why),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _devices(process: Process) -> str:
    points = {point for point, _, _ in process.mounts if point.startswith(_DEVICES)}
    return ", ".join(sorted(f"`{posixpath.basename(point)}`" for point in points))
