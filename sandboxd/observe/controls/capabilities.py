"""The rights that root inside may get: CapBnd, not CapEff, since an ordinary user's effective set is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model import capabilities
from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import APPLIES, blind

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "capabilities"
PLACE = 40
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    live, process = sight.live, sight.process
    if process is None:
        return blind(NAME)
    mask = process.status.get("CapBnd")
    if not mask:
        return (Control(NAME, "not seen", "its status has no CapBnd line"),)
    real = capabilities.names(mask)
    listed = ", ".join(sorted(real)) or "none"
    if live.is_privileged() or not live.drops_all():
        return (Control(NAME, "left out", f"nothing is dropped as a whole: {listed}"),)
    extra = real - {cap.value for cap in live.cap_add}
    if extra:
        return (Control(NAME, "not in force", f"more than asked for: {sorted(extra)}"),)
    return (Control(NAME, "in force", f"at most {listed} (CapBnd)"),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    live = sight.live
    if live.is_privileged() or not live.drops_all():
        return (Control(NAME, "left out", "nothing is dropped as a whole"),)
    added = ", ".join(sorted(cap.value for cap in live.cap_add)) or "none"
    return (Control(NAME, "in force", f"at most {added}: {APPLIES}"),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    try:
        real = capabilities.names(inside.status.get("CapBnd", "0"))
    except ValueError:
        return {}
    extra = sorted(real - {cap.value for cap in sight.live.cap_add})
    return {NAME: f"more than asked for: {extra}"} if extra else {}
