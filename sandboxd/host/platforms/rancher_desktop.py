"""Rancher Desktop: a virtual machine of its own on macOS, Linux and Windows.

The machine is made from an image at each start; what is installed in it does not stay.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Refusal, _engine, _texts

TITLE = "Rancher Desktop"
PRIORITY = 80
RUN = None
ABILITIES = (
    Ability("gVisor", "no", "what is installed in its virtual machine does not stay"),
    _texts.HARDENED_RUNC,
    _texts.APPARMOR_VM,
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (_texts.LINUX_VM, _texts.HARDEN)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return engine is not None and (
        engine.kind == "rancher-desktop"
        or engine.context == "rancher-desktop"
        or "/.rd/" in engine.host
    )


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "Rancher Desktop runs containers in its own virtual machine, which has no gVisor",
        "use a Linux virtual machine with its own Docker (Lima, Colima) and set DOCKER_HOST to it",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = () if facts.usable_gvisor() is not None else (_texts.SHARED_VM,)
    return _engine.advice(facts, limits, _engine.USE)
