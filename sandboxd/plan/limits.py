"""Limits by what each runtime really does with them (docs/decisions/0008)."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Pair
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice


class Limits(NamedTuple):
    memory: Value[str] | None = None
    pids: Value[int] | None = None
    ulimits: tuple[Value[Pair], ...] = ()


def limits(profile: Profile, choice: Choice, host: HostFacts, notes: Notes) -> Limits:
    """The limits of `profile` in the form that the chosen runtime holds.

    A pids limit ends a gVisor sandbox without a message, for it counts the sandbox's own threads;
    under runc a process limit does not bind root. So each runtime gets the other's missing half.
    """
    if host.engine is not None and host.engine.rootless and host.engine.cgroup_version == "1":
        notes.downgrade(
            "limits",
            "a rootless engine on cgroup version 1 enforces none",
            "boot with cgroup version 2 (`systemd.unified_cgroup_hierarchy=1`)",
        )
        return Limits()
    memory = _memory(profile, choice, notes)
    if not profile.processes:
        return Limits(memory)
    count = profile.processes
    if not choice.gvisor:
        why = "one fork bomb must not take the host"
        return Limits(memory, notes.value("pids_limit", count, str(count), why))
    why = "one fork bomb must not take the host; under gVisor a pids limit would end the sandbox"
    pair = Pair("nproc", f"{count}:{count}")
    return Limits(memory, None, (notes.value("ulimits", pair, f"nproc={count}", why),))


def _memory(profile: Profile, choice: Choice, notes: Notes) -> Value[str] | None:
    if not profile.memory:
        return None
    why = "the host keeps the rest"
    if choice.gvisor:
        why += "; under gVisor a process over the limit ends the whole sandbox"
    return notes.value("memory", profile.memory, profile.memory, why)
