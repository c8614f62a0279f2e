"""Whether root inside is another user on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.observe.control import State
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "user namespace"
PLACE = 80
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    process = sight.process
    if process is None:
        return blind(NAME)
    if len(process.user_map) < 3:
        return (Control(NAME, "not seen", "its mapping of users is not shown"),)
    if process.user_map[:2] != ("0", "0"):
        why = f"root inside is user {process.user_map[1]} on the host"
        return (Control(NAME, "in force", why),)
    state: State = "left out" if sight.live.userns is None else "not in force"
    return (Control(NAME, state, "root inside is root on the host"),)


def under_gvisor(_sight: Sight) -> tuple[Control, ...]:
    why = "gVisor's kernel maps no user to one of the host"
    return (Control(NAME, "left out", why),)


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}
