"""Controls that only the host can see: what the runtime's name stands for, and the control group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.observe.surroundings import group_limits, group_processors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine


class Outside(NamedTuple):
    """`path` and `arguments` are what the engine starts for the runtime's name, '' and () unknown.

    `memory`, `processes` and `cpus` are the control group's limits, 0 is none.
    """

    runtime: str
    path: str
    arguments: tuple[str, ...]
    annotations: Mapping[str, str]
    memory: int
    processes: int
    cpus: float = 0

    @property
    def is_gvisor(self) -> bool:
        """By what is registered; a name may say anything."""
        return "runsc" in self.path or any("runsc" in argument for argument in self.arguments)

    def opens_host_sockets(self) -> str:
        """How host-uds was opened, '' when it was not."""
        for argument in self.arguments:
            name, _, value = argument.lstrip("-").partition("=")
            if name == "host-uds" and value not in ("none", ""):
                return f"runtime argument {argument}"
        value = self.annotations.get("dev.gvisor.flag.host-uds", "none")
        return "" if value == "none" else f"annotation host-uds={value}"


def look(engine: Engine, inspected: Mapping[str, Any]) -> Outside:
    """Ask the engine, and read the host's control groups."""
    host = inspected.get("HostConfig") or {}
    name = host.get("Runtime") or ""
    registered = (engine.info().get("Runtimes") or {}).get(name) or {}
    limits = group_limits(inspected)
    return Outside(
        name,
        registered.get("path") or "",
        tuple(registered.get("runtimeArgs") or ()),
        host.get("Annotations") or {},
        limits["memory"],
        limits["processes"],
        group_processors(inspected),
    )
