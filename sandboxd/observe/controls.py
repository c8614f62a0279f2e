"""Which controls of a running container are in force: one list, one word for each state, for every screen.

Three say something of a container, and are believed in this order. The host sees its first process (runc)
or the sandbox's own kernel with its flags (gVisor); a process can only take from itself what it was given,
so what it shows counts where the engine was asked for the same. The engine says what was asked for. The
image's own programs may lie, so what they show can take a claim back and never makes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe import controls_by_inside, controls_of_gvisor, controls_of_linux
from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.process import Process


def controls(
    live: Container,
    process: Process | None,
    outside: Outside,
    inside: Process | None = None,
    host_boot_id: str = "",
) -> tuple[Control, ...]:
    """The controls of a running container.

    :param live: what the engine says, as `observe.inspection` reads it
    :param process: its first process as the host or an observer of ours sees it, None where neither can
    :param outside: what the host and the engine say of its runtime and limits
    :param inside: what the image's own programs show, None where they were not asked
    :param host_boot_id: '' where it is hidden
    """
    if outside.is_gvisor:
        entries = controls_of_gvisor.controls(live, outside)
    else:
        entries = controls_of_linux.controls(live, process, outside)
    entries = (*entries, *_limits(live, process, outside))
    if inside is None:
        return entries
    return controls_by_inside.lower(entries, live, inside, outside, host_boot_id)


def without_replaced(
    controls: tuple[Control, ...], live: Container, workspace: str, paths: Collection[str]
) -> tuple[Control, ...]:
    """`controls` without those that hold files which a program on the host has replaced.

    The kernel takes a mount away with the file that it was on, so what was seen of it is over.

    :param paths: within `workspace`, of the host
    """
    targets = {
        value.value.target: path
        for value in live.mounts
        for path in paths
        if value.value.type == "bind" and value.value.source == f"{workspace}/{path}"
    }
    updated = []
    for control in controls:
        path = targets.get(control.name.removeprefix("read-only "))
        if path is not None:
            why = f"a program on the host replaced `{path}`, and its pin went; `sandboxd up` makes it anew"
            control = control._replace(state="not in force", why=why)
        updated.append(control)
    return tuple(updated)


def _limits(live: Container, process: Process | None, outside: Outside) -> tuple[Control, ...]:
    by = "by the host's control group" if outside.sees_group else "as the engine was asked"
    memory, cpus = outside.memory, outside.cpus
    return (
        _limit("memory limit", f"{memory >> 20} MiB, {by}" if memory else "", live.memory),
        _limit("cpu limit", _processors(cpus, by), live.cpus),
        _processes(live, process, outside, by),
    )


def _processors(cpus: float, by: str) -> str:
    """'' where there is no limit."""
    return f"{cpus:g} processor{'' if cpus == 1 else 's'}, {by}" if cpus else ""


def _limit(name: str, limit: str, requested: object) -> Control:
    if limit:
        return Control(name, "in force", limit)
    if requested is not None:
        return Control(
            name, "not in force", "it was asked for, and the host's control group has none"
        )
    return Control(name, "left out", "none is set")


# The limit below which a sandbox set it: the default of a machine for each user is higher.
_OF_A_SANDBOX = 16384


def _processes(live: Container, process: Process | None, outside: Outside, by: str) -> Control:
    """A user's limit binds no root under Linux; gVisor counts root's processes, too."""
    name = "process limit"
    if outside.processes:
        return Control(name, "in force", f"{outside.processes}, {by}")
    if live.pids_limit is not None:
        return _limit(name, "", live.pids_limit)
    limits = [v.value.value.partition(":")[0] for v in live.ulimits if v.value.name == "nproc"]
    limit = limits[-1] if limits else ""
    if not (limit.isdigit() and int(limit) <= _OF_A_SANDBOX):
        return Control(name, "left out", "neither the control group nor the user's limit sets one")
    if outside.is_gvisor:
        return Control(name, "in force", f"{limit} for the user")
    if process is None:
        return Control(name, "not seen", f"{limit} for the user, who is not seen")
    if process.user == "0":
        return Control(name, "not in force", "the user's limit does not bind root")
    if process.processes.isdigit() and int(process.processes) <= int(limit):
        return Control(name, "in force", f"{process.processes} for the user")
    actual = process.processes or "not seen"
    return Control(name, "not in force", f"{limit} was asked for, the first process has {actual}")
