"""OrbStack on macOS: its Docker engine is fixed, its Linux machines are yours.

The engine's own machine takes no further runtime. An OrbStack Linux machine is an ordinary Linux
that shares OrbStack's kernel; with its own Docker engine gVisor can be tried there.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "OrbStack"
PRIORITY = 80
RUN = None
ABILITIES = (
    Ability("gVisor", "if", "a Linux machine of OrbStack with its own Docker starts it in a trial"),
    _texts.HARDENED_RUNC,
    _texts.APPARMOR_VM,
    Ability("limits", "yes", "by cgroups of the machine"),
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (
    Alternative(
        "a Linux machine of OrbStack with its own Docker",
        "gVisor can be installed there, and a trial says whether it starts",
        (
            "orb create debian sandbox",
            "orb -m sandbox sudo apt-get install -y docker.io",
            "orb -m sandbox sudo sandboxd setup gvisor --apply",
            "docker context create sandbox --docker host=ssh://sandbox@orb",
        ),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return engine is not None and (
        engine.kind == "orbstack" or engine.context == "orbstack" or "/.orbstack/" in engine.host
    )


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "OrbStack's own engine has no gVisor runtime and takes none",
        "use a Linux machine of OrbStack with its own Docker: `orb create debian sandbox`",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = () if facts.usable_gvisor() is not None else (_texts.SHARED_VM,)
    return _engine.advice(facts, limits, _engine.USE)
