"""Interprets the raw answers of a machine. Pure; tolerant of anything in a pasted report."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.engine import engine_from_raw
from sandboxd.host.facts.machine import machine_from_raw
from sandboxd.host.facts.nvidia import nvidia

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.host.facts import Engine

T = TypeVar("T")


def from_raw(raw: dict[str, Any]) -> HostFacts:
    """The facts in the raw answers of `host.probe`, or in a report that a user pasted."""
    engine = raw.get("engine")
    facts = engine_from_raw(engine) if isinstance(engine, dict) else None
    system = _as(str, raw.get("system"))
    kernel_text = (_as(str, raw.get("proc_version")) or "").lower()
    cgroup2 = _as(bool, raw.get("cgroup2"))
    return HostFacts(
        system=system,
        kernel=_as(str, raw.get("kernel")),
        arch=_as(str, raw.get("architecture")),
        uid=_as(int, raw.get("uid")),
        gid=_as(int, raw.get("gid")),
        home=_as(str, raw.get("home")),
        wsl="microsoft" in kernel_text if kernel_text else None,
        apparmor=_control(facts, "apparmor", raw.get("apparmor"), system),
        seccomp=_control(facts, "seccomp", raw.get("seccomp_actions"), system),
        cgroup_version=(facts.cgroup_version if facts else None)
        or (None if cgroup2 is None or system != "Linux" else "2" if cgroup2 else "1"),
        engine=facts,
        apparmor_profiles=_loaded_profiles(raw.get("apparmor_profiles"), facts),
        nvidia=nvidia(raw.get("nvidia")),
        **machine_from_raw(raw),
    )


def _control(engine: Engine | None, name: str, file: object, system: str | None) -> bool | None:
    """Whether the kernel that runs containers has a control; the engine's answer takes precedence."""
    if engine is not None and engine.version is not None:
        return any(name in option for option in engine.security_options)
    if system != "Linux":
        return None
    return isinstance(file, str) and file.strip() != "N"


def _loaded_profiles(file: object, engine: Engine | None) -> tuple[str, ...] | None:
    """The names in lines such as ``name (enforce)``; None for another machine's engine."""
    if not isinstance(file, str) or engine is None or not engine.host.startswith("unix:"):
        return None
    lines = (line.rpartition(" (") for line in file.splitlines())
    return tuple(
        sorted(n for n, _, mode in lines if n.startswith("sandboxd-") and mode == "enforce)")
    )


def _as(kind: type[T], value: object) -> T | None:
    if isinstance(value, bool) and kind is not bool:
        return None
    return value if isinstance(value, kind) else None
