"""Files of the kernel that are covered, and /proc/sys that is read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.observe.control import State
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "masked paths"
PLACE = 90
PROOF = ("masked-files",)

# The kernel's configuration decides which of them exist.
_MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")


def on_linux(sight: Sight) -> tuple[Control, ...]:
    if sight.process is None:
        return blind(NAME)
    options = {point: flags for point, flags, _ in sight.process.mounts}
    missing: State = "left out" if sight.live.is_privileged() else "not in force"
    if "ro" not in options.get("/proc/sys", ()):
        return (Control(NAME, missing, "/proc/sys is not mounted read-only"),)
    covered = [path for path in _MASKED if path in options]
    if not covered:
        return (Control(NAME, missing, f"nothing covers {', '.join(_MASKED)}"),)
    why = f"{', '.join(covered)} covered, /proc/sys read-only"
    return (Control(NAME, "in force", why),)


def under_gvisor(_sight: Sight) -> tuple[Control, ...]:
    return (Control(NAME, "in force", "gVisor's /proc and /sys are its own"),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}
