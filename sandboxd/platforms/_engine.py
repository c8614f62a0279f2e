"""Answers that all platforms share: about engines that do not answer, and runtimes that were tried."""

from __future__ import annotations

from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.platforms import Advice, Refusal

DOCTOR = "see `sandboxd doctor`"
USE = ("sandboxd init", "sandboxd up")


def without_engine(facts: HostFacts) -> Refusal | None:
    """The refusal where the engine was not asked or does not answer; None where it does."""
    engine = facts.engine
    if engine is None:
        return Refusal("the engine was not asked", DOCTOR)
    if engine.error:
        return Refusal(engine.error, engine.hint or DOCTOR)
    return None


def registered(facts: HostFacts) -> Runtime | None:
    """A runtime that calls itself gVisor; whether it is, only a trial shows."""
    for runtime in facts.engine.runtimes if facts.engine is not None else ():
        binary = runtime.path.rsplit("/", 1)[-1]
        if runtime.gvisor or runtime.name.startswith("runsc") or binary.startswith("runsc"):
            return runtime
    return None


def registered_but(facts: HostFacts) -> Refusal | None:
    """The reason why a registered gVisor runtime does not count; None where none is registered."""
    first = registered(facts)
    if first is None:
        return None
    if first.usable and first.gvisor is False:
        return Refusal(f"`{first.name}` runs containers on the host's own kernel", DOCTOR)
    why = first.why or "it was never tried"
    return Refusal(f"`{first.name}` is not usable: {why}", first.fix or DOCTOR)


def why_no_gvisor(facts: HostFacts, otherwise: Refusal) -> Refusal:
    """The reason that was seen, else the platform's own."""
    return without_engine(facts) or registered_but(facts) or otherwise


def broken(facts: HostFacts) -> Refusal | None:
    """The reason why the engine starts no container at all; None where one of its runtimes may."""
    runtimes = facts.engine.runtimes if facts.engine is not None else ()
    if not runtimes or any(runtime.usable is not False for runtime in runtimes):
        return None
    first = runtimes[0]
    return Refusal(f"`{first.name}` cannot start a container: {first.why}", first.fix or DOCTOR)


def advice(facts: HostFacts, limits: tuple[str, ...], steps: tuple[str, ...]) -> Advice:
    """`steps`, or how to reach the engine if it does not answer, as advice."""
    engine = facts.engine
    if engine is None or engine.error:
        return Advice(limits, (engine.hint,) if engine is not None and engine.hint else ())
    if (nothing := broken(facts)) is not None:
        return Advice(limits, (nothing.fix,))
    return Advice(limits, steps)
