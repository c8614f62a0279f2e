"""Docker Desktop on Linux: a virtual machine where none is needed.

It stands between the containers and a kernel that could run gVisor directly. The engine of the
distribution or of Docker's packages can be installed beside it, and `docker context use default`
goes back to it.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "Docker Desktop on Linux"
PRIORITY = 70
RUN = None
ABILITIES = (
    Ability("gVisor", "no", "Docker Desktop's virtual machine takes no further runtime that stays"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "no", "Docker Desktop's kernel does not have it"),
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (
    Alternative(
        "the engine of this Linux itself",
        "everything is possible there, and there is one machine less",
        (
            "sudo apt-get install docker.io",
            "docker context use default",
            "sudo sandboxd setup gvisor --apply",
        ),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return facts.system == "Linux" and engine is not None and engine.kind == "docker-desktop"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "Docker Desktop runs containers in its own virtual machine, which has no gVisor",
        "use the engine of this Linux itself: `docker context use default`, then `sandboxd doctor`",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    if facts.usable_gvisor() is not None:
        return _engine.advice(facts, (), _engine.USE)
    steps = ("docker context use default", "sandboxd doctor")
    return _engine.advice(facts, (_texts.SHARED_VM,), steps)
