"""Controls that only the host shows: the program behind the runtime's name, and the control group."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.host import held
from sandboxd.observe import host_process
from sandboxd.observe.surroundings import group_limits, group_processors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected

SHARED = ("runc", "crun", "docker-runc", "youki")
"""File names of runtimes that start processes on the host's kernel."""


class Outside(NamedTuple):
    """A container's runtime and limits, as the host shows them.

    `path` and `arguments` are the program and arguments that the engine starts for the runtime's name; '' and () if
    unknown. `memory` (bytes), `processes` and `cpus` are the control group's limits; 0 means none.
    """

    runtime: str
    path: str
    arguments: tuple[str, ...]
    annotations: Mapping[str, str]
    memory: int
    processes: int
    cpus: float = 0
    sees_group: bool = True
    """Whether the control group's limits could be read; if not, the limits are those that the engine was asked for."""
    sentry: tuple[str, ...] = ()
    """The flags with which the gVisor sandbox runs; () if they could not be seen."""
    held: frozenset[str] = frozenset()
    """The properties of this gVisor build that trials on this machine confirmed."""

    @property
    def is_gvisor(self) -> bool:
        """Whether the registered program or its arguments are gVisor's; the runtime's name alone proves nothing."""
        return "runsc" in self.path or any("runsc" in argument for argument in self.arguments)

    @property
    def shares_kernel(self) -> bool:
        """Whether it certainly runs on the host's kernel; an unknown runtime may start a virtual machine."""
        return os.path.basename(self.path) in SHARED

    @property
    def flags(self) -> tuple[str, ...]:
        """gVisor's flags: those of the running process if they could be seen, otherwise those that are registered."""
        return self.sentry or self.arguments

    def holds(self, *premises: str) -> bool:
        """Whether trials confirmed these properties of the build; False if it runs with other flags than were tried."""
        is_as_tried = not self.sentry or set(self.arguments) <= set(self.sentry)
        return is_as_tried and self.held.issuperset(premises)

    def opens_host_sockets(self) -> str:
        """The flag or annotation that lets the sandbox open Unix sockets of the host (`host-uds`), in words; '' for
        none.
        """
        for argument in self.flags:
            name, _, value = argument.lstrip("-").partition("=")
            if name == "host-uds" and value not in ("none", ""):
                return f"runtime argument {argument}"
        value = self.annotations.get("dev.gvisor.flag.host-uds", "none")
        return "" if value == "none" else f"annotation host-uds={value}"


def look(engine: Engine, inspected: Inspected) -> Outside:
    """Ask the engine about the runtime, and read the host's control groups."""
    host = inspected.get("HostConfig") or {}
    name = host.get("Runtime") or ""
    info = engine.info()
    registered = (info.get("Runtimes") or {}).get(name) or {}
    path = registered.get("path") or registered.get("runtimeType") or ""
    limits = group_limits(inspected)
    return Outside(
        name,
        path,
        tuple(registered.get("runtimeArgs") or ()),
        host.get("Annotations") or {},
        limits["memory"],
        limits["processes"],
        group_processors(inspected),
        bool(host_process.pid_of(inspected)),
        host_process.sentry(inspected),
        held.recall(os.environ, info, name) if "runsc" in path else frozenset(),
    )
