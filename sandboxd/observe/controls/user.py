"""The user that commands run as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "non-root user"
PLACE = 30
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    process = sight.process
    if process is None:
        return blind(NAME)
    if not process.user:
        return (Control(NAME, "not seen", "its status has no Uid line"),)
    if _requested(sight) in ("", "0", "root"):
        return (Control(NAME, "left out", "commands run as root"),)
    why = f"commands run as user {process.user}"
    return (Control(NAME, "not in force" if process.user == "0" else "in force", why),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    user = _requested(sight)
    if user in ("", "0", "root"):
        return (Control(NAME, "left out", "commands run as root"),)
    if user.isdigit():
        return (Control(NAME, "in force", f"commands run as user {user}"),)
    return (Control(NAME, "not seen", f"which user `{user}` is, the image says"),)


def contradictions(_sight: Sight, inside: Process) -> dict[str, str]:
    return {NAME: "commands run as root"} if inside.user == "0" else {}


def _requested(sight: Sight) -> str:
    user = sight.live.user
    return (user.value if user else "").partition(":")[0]
