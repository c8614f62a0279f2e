"""Linux with its own container engine: everything is possible, nothing is there by itself."""

from __future__ import annotations

from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.platforms import Advice, Refusal

_DOCTOR = "see `sandboxd doctor`"
_REGISTER = "install runsc and register it: `sudo runsc install && sudo systemctl reload docker`"


def matches(facts: HostFacts) -> bool:
    return facts.system == "Linux" and not facts.wsl


def why_no_gvisor(facts: HostFacts) -> Refusal:
    engine = facts.engine
    if engine is None:
        return Refusal("the engine was not asked", _DOCTOR)
    if engine.error:
        return Refusal(engine.error, engine.hint or _DOCTOR)
    candidates = [runtime for runtime in engine.runtimes if _claims_gvisor(runtime)]
    if not candidates:
        return Refusal("no gVisor runtime is registered with the engine", _REGISTER)
    first = candidates[0]
    if first.usable and first.gvisor is False:
        return Refusal(f"`{first.name}` runs containers on the host's own kernel", _DOCTOR)
    why = first.why or "it was never tried"
    return Refusal(f"`{first.name}` is not usable: {why}", first.fix or _DOCTOR)


def advice(facts: HostFacts) -> Advice:
    engine = facts.engine
    if engine is None or engine.error:
        return Advice(steps=(engine.hint,) if engine is not None else ())
    limits = []
    if engine.rootless:
        limits.append(
            "this engine is rootless: the workspace's owner is root inside, which is only that user outside"
        )
    gvisor = facts.usable_gvisor()
    if gvisor is None:
        return Advice(tuple(limits), (why_no_gvisor(facts).fix, "sandboxd doctor"))
    steps = []
    if not gvisor.directfs_off():
        steps.append(
            f"sudo runsc install --runtime runsc-sandboxd -- {_arguments(gvisor)}"
            " && sudo systemctl reload docker"
        )
    return Advice(tuple(limits), (*steps, "sandboxd init", "sandboxd up"))


def _arguments(runtime: Runtime) -> str:
    return " ".join(["--directfs=false", *runtime.args])


def _claims_gvisor(runtime: Runtime) -> bool:
    """Whether a runtime presents itself as gVisor; whether it is, only a trial shows."""
    binary = runtime.path.rsplit("/", 1)[-1]
    return bool(runtime.gvisor) or runtime.name.startswith("runsc") or binary.startswith("runsc")
