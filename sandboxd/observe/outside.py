"""Controls that only the host can see: what the runtime's name stands for, and the control group."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.host import held
from sandboxd.observe import host_process
from sandboxd.observe.surroundings import group_limits, group_processors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine

SHARED = ("runc", "crun", "docker-runc", "youki")
"""Runtimes, by their program, that start processes of the host's kernel."""


class Outside(NamedTuple):
    """A container's runtime and limits, as the host shows them.

    `path` and `arguments` are what the engine starts for the runtime's name, '' and () unknown. `memory`
    (bytes), `processes` and `cpus` are the control group's limits, 0 is none.
    """

    runtime: str
    path: str
    arguments: tuple[str, ...]
    annotations: Mapping[str, str]
    memory: int
    processes: int
    cpus: float = 0
    sees_group: bool = True
    """Whether the control group's limits were seen; else they are what the engine was asked for."""
    sentry: tuple[str, ...] = ()
    """The flags that the gVisor sandbox was seen to run with, () where it was not seen."""
    held: frozenset[str] = frozenset()
    """The premises that this build of gVisor was seen to hold, as it is registered."""

    @property
    def is_gvisor(self) -> bool:
        """Whether the registered program or its arguments are gVisor's; the name proves nothing."""
        return "runsc" in self.path or any("runsc" in argument for argument in self.arguments)

    @property
    def shares_kernel(self) -> bool:
        """Whether it certainly runs on the host's kernel; other runtimes may start a virtual machine."""
        return os.path.basename(self.path) in SHARED

    @property
    def flags(self) -> tuple[str, ...]:
        """gVisor's flags: of the running process where they were seen, else as registered."""
        return self.sentry or self.arguments

    def holds(self, *premises: str) -> bool:
        """Whether this build was seen to hold these premises; False where it runs with other flags than were tried."""
        is_as_tried = not self.sentry or set(self.arguments) <= set(self.sentry)
        return is_as_tried and self.held.issuperset(premises)

    def opens_host_sockets(self) -> str:
        """The flag or annotation that opens host sockets (host-uds), '' if none does."""
        for argument in self.flags:
            name, _, value = argument.lstrip("-").partition("=")
            if name == "host-uds" and value not in ("none", ""):
                return f"runtime argument {argument}"
        value = self.annotations.get("dev.gvisor.flag.host-uds", "none")
        return "" if value == "none" else f"annotation host-uds={value}"


def look(engine: Engine, inspected: Inspected) -> Outside:
    """Ask the engine, and read the host's control groups."""
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
