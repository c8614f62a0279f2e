"""The kernel's label on the first process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "AppArmor"
PLACE = 70
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    if sight.process is None:
        return blind(NAME)
    return (_by_label(_requested(sight), sight.process.label),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    requested = _requested(sight)
    if requested in ("", "unconfined"):
        return (Control(NAME, "left out", "it confines no process inside gVisor"),)
    why = f"`{requested}` was asked for, and gVisor shows no label"
    return (Control(NAME, "not seen", why),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _requested(sight: Sight) -> str:
    option = sight.live.option("apparmor")
    return option.value.value if option else ""


def _by_label(requested: str, label: str) -> Control:
    if not label:
        if requested in ("", "unconfined"):
            return Control(NAME, "left out", "the kernel gives the process no label")
        lost = f"`{requested}` was asked for, and silently not applied"
        return Control(NAME, "not in force", f"{lost}: the kernel gives the process no label")
    if label.startswith("unconfined"):
        is_lost = requested not in ("", "unconfined")
        return Control(NAME, "not in force" if is_lost else "left out", "the process is unconfined")
    name, _, mode = label.partition(" ")
    if requested and name != requested:
        return Control(NAME, "not in force", f"`{requested}` was asked for, `{name}` is applied")
    is_weak = mode == "(complain)"
    return Control(
        NAME, "not in force" if is_weak else "in force", f"the process has the label `{label}`"
    )
