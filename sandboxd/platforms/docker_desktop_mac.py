"""Docker Desktop on macOS: containers run in a virtual machine that users cannot add gVisor to."""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.platforms import Advice, Refusal


def matches(facts: HostFacts) -> bool:
    return (
        facts.system == "Darwin"
        and facts.engine is not None
        and facts.engine.kind == "docker-desktop"
    )


def why_no_gvisor(_facts: HostFacts) -> Refusal:
    return Refusal(
        "Docker Desktop runs containers in its own virtual machine, which has no gVisor",
        "use a Linux virtual machine with its own Docker (Lima, Colima) and set DOCKER_HOST to it",
    )


def advice(_facts: HostFacts) -> Advice:
    return Advice(
        limits=(
            "hardened runc is used: containers share the kernel of Docker Desktop's virtual machine, "
            "not that of macOS",
        ),
        steps=("sandboxd init", "sandboxd up"),
    )
