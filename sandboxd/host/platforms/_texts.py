"""Sentences that several platforms share, each with where it comes from."""

from __future__ import annotations

from sandboxd.host.platforms import Ability, Alternative

SHARED_VM = (
    "hardened runc is used: containers share the kernel of the virtual machine, not that of the "
    "computer it runs on"
)

HARDENED_RUNC = Ability(
    "hardened runc",
    "yes",
    "capability dropping, no-new-privileges, a seccomp profile, read-only control files, limits",
)

VERIFY_THERE = Ability(
    "sandboxd verify",
    "no",
    "it has to look at the kernel's own files and processes: run it inside the virtual machine",
)

APPARMOR_VM = Ability(
    "AppArmor", "if", "the virtual machine's kernel has it; the engine's answer decides"
)

LINUX_VM = Alternative(
    "a Linux virtual machine with its own Docker",
    "gVisor needs nothing from the processor: its systrap platform runs in any virtual machine",
    (
        "brew install lima docker",
        "limactl start --name=docker template://docker-rootful",
        "export DOCKER_HOST=$(limactl list docker --format 'unix://{{.Dir}}/sock/docker.sock')",
        "limactl shell docker sudo sandboxd setup gvisor --apply",
        "sandboxd doctor",
    ),
)

HARDEN = Alternative(
    "runc with every other control",
    "what sandboxd generates by itself where no gVisor works",
    ("sandboxd init", "sandboxd up", "sandboxd verify"),
)
