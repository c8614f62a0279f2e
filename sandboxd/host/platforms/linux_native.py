"""Linux with its own Docker engine: everything is possible, nothing is there by itself.

gVisor is a program that the engine starts instead of runc. It needs Linux 5.6 or later on x86-64 or
arm64, no kernel module and no hardware virtualization, so it works in virtual machines, too.
Installed is not usable: on kernels from 6.9 on, runsc from 2024 (Debian 13 has 20240729) cannot set up its
own network, and its default file access (`directfs`) lets a process empty files of read-only folders. What
the build in front of it holds is tried once (`sandboxd doctor --long`), and `sandboxd setup gvisor`
registers runtimes of our own with the arguments that trials on this machine showed to be needed.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, Run, _engine, _texts

TITLE = "Linux with its own Docker engine"
PRIORITY = 0
RUN = Run(
    "2026-12-05",
    "Docker 26.1.5, runc 1.1.15 and runsc 20240729 of Debian 13, as root, on cgroup version 1, also with `userns-remap`, "
    "`init`, `live-restore`, `default-runtime` and without `iptables` in its settings; Docker 28.5.2 with runc 1.3.6. cgroup "
    "version 2, AppArmor and other distributions are from documentation",
    {
        "debian-13-docker": "cbaecca5222aa714",
        "debian-13-docker-28": "ff0082e00d689b83",
        "debian-13-userns-remap": "ce60af114354c6a0",
    },
)
ABILITIES = (
    Ability("gVisor", "yes", "after `sudo sandboxd setup gvisor --apply`"),
    _texts.HARDENED_RUNC,
    Ability(
        "seccomp", "yes", "under runc; under gVisor for what the container's first process starts"
    ),
    Ability(
        "AppArmor", "if", "the kernel has it; it confines runc's containers, gVisor ignores it"
    ),
    Ability("limits", "yes", "by cgroups, under both runtimes"),
    Ability("sandboxd verify", "yes", "every attempt"),
)
ALTERNATIVES = (
    Alternative(
        "gVisor",
        "the host's kernel is not reachable for what runs inside",
        (
            "sandboxd setup gvisor --plan",
            "sudo sandboxd setup gvisor --apply",
            "sandboxd setup gvisor --verify",
        ),
    ),
    _texts.HARDEN,
)

_SETUP = (
    "`sudo sandboxd setup gvisor --apply` installs and registers it (`--plan` shows every step)"
)
_SETUP_STEP = "sudo sandboxd setup gvisor --apply"


def matches(facts: HostFacts) -> bool:
    return facts.system == "Linux" and not facts.wsl


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal("no gVisor runtime is registered with the engine", _SETUP)
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    engine = facts.engine
    limits: tuple[str, ...] = ()
    if facts.selinux == "enforcing" and engine is not None:
        labels = any("selinux" in option for option in engine.security_options)
        if labels:
            limits = (
                "this engine labels containers for SELinux, which gVisor does not support: "
                "one of the two has to go",
            )
    gvisor = facts.usable_gvisor()
    # Without apt the steps are only printed, and the user runs them.
    setup = (
        _SETUP_STEP if facts.package_manager in ("apt", None) else "sandboxd setup gvisor --plan"
    )
    if gvisor is None:
        return _engine.advice(facts, limits, (setup, "sandboxd doctor"))
    steps = _engine.USE if gvisor.pins_hold() else (setup, *_engine.USE)
    return _engine.advice(facts, limits, steps)
