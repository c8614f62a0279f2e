"""Rootless Docker: the engine has no rights of its own, and neither has who escapes to it.

root inside is the user outside. gVisor's documentation describes rootless engines as a way to run
it (rootless.md, method 2). Measured with Docker 26.1 and runsc 20240729 on cgroup version 1: runsc
starts with `--ignore-cgroups`, and does not without it. On cgroup version 1 limits are not enforced,
and AppArmor profiles cannot be loaded by the engine.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, Run, _engine, _texts

TITLE = "Rootless Docker"
PRIORITY = 60
RUN = Run(
    "2026-12-02",
    "Docker 26.1.5, runc 1.1.15 and runsc 20240729 of Debian 13, on cgroup version 1. cgroup version 2 is from "
    "documentation",
    {"debian-13-rootless-gvisor": "8bd1492085255bb4"},
)
ABILITIES = (
    Ability("gVisor", "if", "a trial starts; it is registered in ~/.config/docker/daemon.json"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "no", "the engine may not load profiles"),
    Ability("limits", "if", "cgroup version 2 with delegation; version 1 enforces none"),
    Ability("sandboxd verify", "yes", "the host's files are those of the same user"),
)
ALTERNATIVES = (
    Alternative(
        "gVisor under the rootless engine",
        "two borders: gVisor's kernel, and an engine without rights behind it",
        (
            "sudo apt-get install runsc",
            "runsc install --config_file ~/.config/docker/daemon.json --runtime runsc-sandboxd"
            " -- --directfs=false --network=host --ignore-cgroups",
            "systemctl --user restart docker",
            "sandboxd doctor",
        ),
    ),
    Alternative(
        "the engine of the system, with gVisor",
        "all controls, limits on every cgroup version",
        ("docker context use default", "sudo sandboxd setup gvisor --apply"),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return engine is not None and bool(engine.rootless) and engine.kind == "docker"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "no gVisor runtime is registered with the rootless engine",
        "`runsc install --config_file ~/.config/docker/daemon.json --runtime runsc-sandboxd -- "
        "--directfs=false --network=host --ignore-cgroups && systemctl --user restart docker`",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits: tuple[str, ...] = (
        "this engine is rootless: the workspace's owner is root inside, which is only that user outside",
    )
    if facts.cgroup_version == "1":
        limits += (
            "limits of memory and processes are not enforced: rootless on cgroup version 1",
            "runc cannot pause there: a sandbox that loses a mount by an act of the host is ended, not halted "
            "where it is",
        )
    return _engine.advice(facts, limits, _engine.USE)
