"""Colima and Lima: a Linux virtual machine that is yours, with its own Docker engine.

This is the installation guide's first alternative for macOS. runsc goes into the machine; Colima
writes the engine's daemon.json anew at each start from its own file, so the runtimes belong into
`colima.yaml` (`docker:` section), while in Lima's Docker machine /etc/docker/daemon.json stays.
Only the home folder is shared with the machine: anything else arrives as an empty folder, which
`sandboxd up` refuses.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "Colima and Lima"
PRIORITY = 80
RUN = None
ABILITIES = (
    Ability("gVisor", "yes", "after it is installed inside the machine"),
    _texts.HARDENED_RUNC,
    _texts.APPARMOR_VM,
    Ability("limits", "yes", "by cgroups of the machine"),
    Ability(
        "files", "if", "the folder is shared with the machine; `sandboxd up` looks before it starts"
    ),
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (
    Alternative(
        "gVisor inside the machine",
        "it is an ordinary Linux: the whole setup works there",
        (
            "colima ssh -- sudo sandboxd setup gvisor --apply  # sandboxd has to be installed there",
            "colima start --edit  # copy the runtimes into `docker:`, or they go at the next start",
            "sandboxd doctor",
        ),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return engine is not None and (
        engine.kind in ("colima", "lima")
        or (engine.context or "").startswith(("colima", "lima"))
        or "/.colima/" in engine.host
        or "/.lima/" in engine.host
    )


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "the engine in the virtual machine has no gVisor runtime",
        f"install it inside: `{_enter(facts)} sudo sandboxd setup gvisor --apply`",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = (
        "only folders that are shared with the virtual machine can be mounted, by default your home",
    )
    if facts.usable_gvisor() is not None:
        return _engine.advice(facts, limits, _engine.USE)
    steps = (f"{_enter(facts)} sudo sandboxd setup gvisor --apply", "sandboxd doctor")
    return _engine.advice(facts, (*limits, _texts.SHARED_VM), steps)


def _enter(facts: HostFacts) -> str:
    engine = facts.engine
    lima = engine is not None and (engine.kind == "lima" or "/.lima/" in engine.host)
    return "limactl shell docker" if lima else "colima ssh --"
