"""Answers that are the same on all platforms: for engines that do not answer, and runtimes that were tried."""

from __future__ import annotations

from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.host.platforms import Advice, Refusal

DOCTOR = "see `sandboxd doctor`"
USE = ("sandboxd init", "sandboxd up")


def without_engine(facts: HostFacts) -> Refusal | None:
    """The refusal if the engine was not asked or does not answer; None if it does."""
    engine = facts.engine
    if engine is None:
        return Refusal("the engine was not asked", DOCTOR)
    if engine.error:
        return Refusal(engine.error, engine.hint or DOCTOR)
    return None


def registered(facts: HostFacts) -> Runtime | None:
    """The first registered runtime that seems to be gVisor by name or program; None if there is none."""
    for runtime in facts.engine.runtimes if facts.engine is not None else ():
        binary = runtime.path.rsplit("/", 1)[-1]
        if runtime.gvisor or runtime.name.startswith("runsc") or binary.startswith("runsc"):
            return runtime
    return None


def registered_but(facts: HostFacts) -> Refusal | None:
    """The reason why the registered gVisor runtime is not usable; None if none is registered."""
    first = registered(facts)
    if first is None:
        return None
    if first.usable and first.gvisor is False:
        return Refusal(f"`{first.name}` runs containers on the host's own kernel", DOCTOR)
    why = first.why or "it was never tried"
    return Refusal(f"`{first.name}` is not usable: {why}", first.fix or DOCTOR)


def why_no_gvisor(facts: HostFacts, otherwise: Refusal) -> Refusal:
    """The reason that was observed; if there is none, `otherwise`, the platform's own."""
    return without_engine(facts) or registered_but(facts) or otherwise


def broken(facts: HostFacts) -> Refusal | None:
    """The reason why the engine can start no container at all; None if one of its runtimes may work."""
    runtimes = facts.engine.runtimes if facts.engine is not None else ()
    if not runtimes or any(runtime.usable is not False for runtime in runtimes):
        return None
    first = runtimes[0]
    return Refusal(f"`{first.name}` cannot start a container: {first.why}", first.fix or DOCTOR)


def advice(facts: HostFacts, limits: tuple[str, ...], steps: tuple[str, ...]) -> Advice:
    """The advice `steps`; if the engine does not answer or starts nothing, how to change that instead."""
    engine = facts.engine
    if engine is None or engine.error:
        return Advice(limits, (engine.hint,) if engine is not None and engine.hint else ())
    if (nothing := broken(facts)) is not None:
        return Advice(limits, (nothing.fix,))
    return Advice(limits, steps)
