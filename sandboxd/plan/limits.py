"""Limits in the form that each runtime really enforces (docs/decisions/0008)."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Pair
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice


class Limits(NamedTuple):
    memory: Value[str] | None = None
    pids: Value[int] | None = None
    ulimits: tuple[Value[Pair], ...] = ()
    cpus: Value[str] | None = None
    log_driver: Value[str] | None = None
    log_options: tuple[Value[Pair], ...] = ()


def limits(profile: Profile, choice: Choice, host: HostFacts, notes: Notes) -> Limits:
    """The limits of `profile` in the form that the chosen runtime enforces.

    A pids limit ends a gVisor sandbox without a message, for it counts the sandbox's own threads; under runc
    a process limit does not bind root. So each runtime gets the other's missing half.
    """
    if host.engine is not None and host.engine.rootless and host.engine.cgroup_version == "1":
        notes.downgrade(
            ControlName.LIMITS,
            "a rootless engine on cgroup version 1 enforces none",
            "boot with cgroup version 2 (`systemd.unified_cgroup_hierarchy=1`)",
        )
        return _log(profile, notes, Limits())
    memory = _memory(profile, choice, host, notes)
    result = _log(profile, notes, Limits(memory, cpus=_cpus(profile, host, notes)))
    if not profile.processes:
        return result
    count = profile.processes
    if not choice.gvisor and host.engine is not None and host.engine.pids_limit is False:
        _say_missing(ControlName.PROCESS_LIMIT, "the number of processes", "pids", notes)
        return result
    if not choice.gvisor:
        why = "one fork bomb must not take the host"
        pids = notes.value("pids_limit", count, str(count), why, *notes.decider_of("processes"))
        return result._replace(pids=pids)
    why = "one fork bomb must not take the host; under gVisor a pids limit would end the sandbox"
    pair = Pair("nproc", f"{count}:{count}")
    decider = notes.decider_of("processes")
    return result._replace(ulimits=(notes.value("ulimits", pair, f"nproc={count}", why, *decider),))


def _log(profile: Profile, notes: Notes, limits: Limits) -> Limits:
    """`limits` with that of the container's log, which the engine writes to the host's disk.

    The log driver is named, since others refuse the option; both Docker and Podman know this one.
    """
    if not profile.log:
        return limits
    why = "one program that writes without end must not fill the host's disk"
    option = notes.value(
        "log_options", Pair("max-size", profile.log), f"max-size={profile.log}", why
    )
    driver = notes.value("log_driver", "json-file", "json-file", "a driver that limits the log")
    return limits._replace(log_driver=driver, log_options=(option,))


def _cpus(profile: Profile, host: HostFacts, notes: Notes) -> Value[str] | None:
    """The number of processors, never more than the engine has: it would refuse to start the container."""
    if not profile.cpus:
        return None
    engine = host.engine
    if engine is None or not engine.processors:
        why = "how many processors the engine has is not known, so their use is not limited"
        notes.downgrade(
            ControlName.CPU_LIMIT, why, "start the engine, then run `sandboxd generate` again"
        )
        return None
    # An engine of a user often has no say over processors, and refuses the option then.
    if engine.cpu_quota is False or (engine.rootless and engine.cpu_quota is None):
        notes.downgrade(
            ControlName.CPU_LIMIT,
            "this engine cannot limit the use of processors",
            "delegate the `cpu` controller of cgroup version 2 to it",
        )
        return None
    number = processors(profile.cpus, engine.processors)
    why = f"the host keeps the rest of its {engine.processors}"
    return notes.value("cpus", number, number, why, *notes.decider_of("cpus"))


def processors(share_text: str, there: int) -> str:
    """A number or a share of processors as docker takes it: at most `there`, at least a hundredth."""
    share = share_text.endswith("%")
    number = float(share_text.removesuffix("%")) * (there / 100 if share else 1)
    hundredths = max(1, min(int(number * 100 + 1e-6), there * 100))
    return f"{hundredths / 100:g}"


def _memory(profile: Profile, choice: Choice, host: HostFacts, notes: Notes) -> Value[str] | None:
    if not profile.memory:
        return None
    if host.engine is not None and host.engine.memory_limit is False:
        _say_missing(ControlName.MEMORY_LIMIT, "memory", "memory", notes)
        return None
    why = "the host keeps the rest"
    if choice.gvisor:
        why += "; under gVisor a process over the limit ends the whole sandbox"
    return notes.value("memory", profile.memory, profile.memory, why, *notes.decider_of("memory"))


def _say_missing(control: ControlName, what: str, controller: str, notes: Notes) -> None:
    """Note that the engine has no control groups for `what`: it takes a limit of it and enforces none."""
    notes.downgrade(
        control,
        f"this engine cannot limit {what}: its machine has no control group for it",
        f"give the engine the `{controller}` controller (cgroup version 2: delegate it), and restart it",
    )
