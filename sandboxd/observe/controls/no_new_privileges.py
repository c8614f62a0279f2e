"""No program that is started gains rights, setuid ones included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import APPLIES, blind

if TYPE_CHECKING:
    from sandboxd.observe.control import State
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "no-new-privileges"
PLACE = 50
PROOF = ("setuid-program",)


def on_linux(sight: Sight) -> tuple[Control, ...]:
    if sight.process is None:
        return blind(NAME)
    if not _is_requested(sight):
        return (Control(NAME, "left out", "it was not asked for"),)
    line = sight.process.status.get("NoNewPrivs")
    if line is None:
        return (Control(NAME, "not seen", "its status has no NoNewPrivs line"),)
    state: State = "in force" if line == "1" else "not in force"
    return (Control(NAME, state, f"NoNewPrivs is {line}"),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    if not _is_requested(sight):
        return (Control(NAME, "left out", "it was not asked for"),)
    return (Control(NAME, "in force", APPLIES),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    # gVisor never shows it inside.
    is_off = not sight.outside.is_gvisor and inside.status.get("NoNewPrivs") == "0"
    return {NAME: "NoNewPrivs is 0"} if is_off else {}


def _is_requested(sight: Sight) -> bool:
    option = sight.live.option(NAME)
    return option is not None and option.value.value != "false"
