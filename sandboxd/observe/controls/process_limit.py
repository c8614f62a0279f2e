"""The most processes: of the control group, or of the user, which binds no root under Linux; gVisor counts root's, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import by_whom, limit

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "process limit"
PLACE = 160
PROOF = ("process-limit",)

# A limit below this was set by a sandbox: the default of a machine for each user is higher.
_OF_A_SANDBOX = 16384


def on_linux(sight: Sight) -> tuple[Control, ...]:
    return _of_group(sight) or (_of_user(sight),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    most = _requested_of_user(sight)
    return _of_group(sight) or (
        Control(NAME, "in force", f"{most} for the user") if most else _none(),
    )


def contradictions(_sight: Sight, _inside: Process) -> dict[str, str]:
    return {}


def _of_group(sight: Sight) -> tuple[Control, ...]:
    """The limit of the control group; () where none is set and none was asked for."""
    if sight.outside.processes:
        why = f"{sight.outside.processes}, {by_whom(sight)}"
        return (Control(NAME, "in force", why),)
    return limit(NAME, "", sight.live.pids_limit) if sight.live.pids_limit is not None else ()


def _of_user(sight: Sight) -> Control:
    most, process = _requested_of_user(sight), sight.process
    if not most:
        return _none()
    if process is None:
        return Control(NAME, "not seen", f"{most} for the user, who is not seen")
    if process.user == "0":
        return Control(NAME, "not in force", "the user's limit does not bind root")
    if process.processes.isdigit() and int(process.processes) <= int(most):
        return Control(NAME, "in force", f"{process.processes} for the user")
    actual = process.processes or "not seen"
    return Control(NAME, "not in force", f"{most} was asked for, the first process has {actual}")


def _requested_of_user(sight: Sight) -> str:
    """The limit that was asked for each process, '' where none holds a sandbox."""
    limits = [
        v.value.value.partition(":")[0] for v in sight.live.ulimits if v.value.name == "nproc"
    ]
    most = limits[-1] if limits else ""
    return most if most.isdigit() and int(most) <= _OF_A_SANDBOX else ""


def _none() -> Control:
    why = "neither the control group nor the user's limit sets one"
    return Control(NAME, "left out", why)
