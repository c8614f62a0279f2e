"""WSL2 with its own Docker engine (not Docker Desktop's).

The installation guide calls this the better way to gVisor on Windows. gVisor's maintainers call
WSL "very much unsupported" (google/gvisor#11370), so here nothing counts but a trial: where one
starts, gVisor is used; where none does, a real Linux virtual machine is the answer.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "WSL2 with its own Docker engine"
PRIORITY = 50
RUN = None
ABILITIES = (
    Ability("gVisor", "if", "a trial starts; unsupported by gVisor's maintainers (gvisor#11370)"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "if", "WSL's kernel was built with it; the usual one was not"),
    Ability("limits", "yes", "by cgroups"),
    Ability(
        "sandboxd verify", "yes", "every attempt; it protects WSL's kernel, and Windows behind it"
    ),
)
ALTERNATIVES = (
    Alternative(
        "gVisor in this WSL2 distribution",
        "one command shows whether it starts; it takes everything back when it does not",
        ("sudo sandboxd setup gvisor --apply", "sandboxd doctor"),
    ),
    Alternative(
        "a Linux virtual machine (Hyper-V) with its own Docker",
        "the way that gVisor's maintainers advise on Windows",
        ("docker context create vm --docker host=ssh://USER@VM", "sandboxd doctor"),
    ),
    _texts.HARDEN,
)

_NO_INIT = (
    "the engine is not started by systemd here: set `[boot] systemd=true` in /etc/wsl.conf and run "
    "`wsl --shutdown` on Windows, so that it survives a restart"
)


def matches(facts: HostFacts) -> bool:
    return facts.system == "Linux" and bool(facts.wsl)


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "no gVisor runtime is registered with WSL's own engine",
        "`sudo sandboxd setup gvisor --apply` tries it; gVisor's maintainers do not support WSL",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = (_NO_INIT,) if facts.init not in (None, "systemd") else ()
    if facts.usable_gvisor() is not None:
        return _engine.advice(facts, limits, _engine.USE)
    steps = ("sudo sandboxd setup gvisor --apply", "sandboxd doctor", *_engine.USE)
    return _engine.advice(facts, limits, steps)
