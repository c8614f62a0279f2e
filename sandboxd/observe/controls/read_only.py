"""One control for each mount that the engine calls read-only; its name ends with the mount's target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.host.facts import MOUNT_POINTS, PINS
from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.observe.control import State
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "read-only"
PLACE = 100
PROOF = ("pin-truncate", "pin-truncate-reading", "pin-write", "pin-remount", "pin-unmount")


def on_linux(sight: Sight) -> tuple[Control, ...]:
    if sight.process is None:
        return tuple(control for target in _targets(sight) for control in blind(_name(target)))
    return _by_mounts(sight, sight.process)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    if "--directfs=false" in sight.outside.flags:
        state: State = "in force"
        why = "mounted read-only, and directfs is off"
    elif sight.outside.holds(*PINS) and any(map(sight.outside.holds, MOUNT_POINTS)):
        state = "in force"
        why = "mounted read-only, which held when this build was tried"
    else:
        state = "not seen"
        why = "under gVisor with directfs a read-only folder can be emptied or moved; run `sandboxd verify`"
    return tuple(Control(_name(target), state, why) for target in _targets(sight))


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    by_mounts = _by_mounts(sight, inside)
    return {control.name: control.why for control in by_mounts if control.state == "not in force"}


def _by_mounts(sight: Sight, process: Process) -> tuple[Control, ...]:
    options = {point: flags for point, flags, _ in process.mounts}
    return tuple(_of_mount(target, options.get(target)) for target in _targets(sight))


def _of_mount(target: str, options: Collection[str] | None) -> Control:
    if options is None:
        return Control(_name(target), "not seen", "it is not among the mounts")
    if "ro" in options:
        return Control(_name(target), "in force", "mounted read-only")
    return Control(_name(target), "not in force", "it is mounted read-write")


def _targets(sight: Sight) -> tuple[str, ...]:
    return tuple(mount.value.target for mount in sight.live.mounts if mount.value.read_only)


def _name(target: str) -> str:
    return f"{NAME} {target}"
