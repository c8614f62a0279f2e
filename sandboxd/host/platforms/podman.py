"""Podman, with or without root, through its Docker-compatible socket.

Its service answers as Docker does, with one difference that matters: it ignores which runtime a
container asks for (measured with 5.4.2: `--runtime anything` ran on runc, without a word). So the
runtime is the service's own, and with `--runtime runsc` *every* container runs on gVisor, the gateway
too, which does not start there: `dev` and `agent` reach names under runc, and run in gVisor with
`[network] mode = "none"`. The firewall of its networks is `nft`, which Debian's package only recommends.
A seccomp filter is a file for it: a Podman of this machine reads one of the state folder, for one on
another machine `sandboxd up` refuses a profile that has a filter. Rootless Podman is a border of its own,
as rootless Docker is.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, Run, _engine, _texts

TITLE = "Podman"
PRIORITY = 90
RUN = Run(
    "2026-12-05",
    "Podman 5.4.2 and runc 1.1.15, as root and rootless, and as root Podman 5.8.6 with runc 1.3.6, on cgroup version 1; "
    "6.1.1 with crun 1.28 on cgroup version 2 without controllers, where limits are left out; 5.4.2 with runsc 20240729 "
    "as its own runtime, without a network. crun 1.21 starts nothing on cgroup version 1, as `sandboxd doctor` says. "
    "cgroup version 2 with controllers is from documentation",
    {
        "podman-5-rootful": "c14059c95e11db4c",
        "podman-5-rootless": "3c48b928af1c9484",
        "podman-5-8": "52b05fbdc923df2e",
        "podman-6-without-controllers": "fd00e7c68776b977",
    },
)
_NO_GATEWAY = Refusal(
    "this Podman runs every container in gVisor, and the gateway, which sets up a network, does not start "
    "there",
    'without a network it does: `[network] mode = "none"` in sandboxd.toml; with one: a Podman that runs runc, '
    "or Docker with gVisor",
)
_NO_NETWORK = 'set `[network] mode = "none"` in sandboxd.toml, unless its profile needs no names'
FILTER_ELSEWHERE = (
    "this Podman is on another machine and takes a seccomp filter only as a file of its own: profiles with "
    "one do not start here; run sandboxd on that machine"
)
ABILITIES = (
    Ability(
        "gVisor",
        "if",
        "the service itself was started with runsc; its API ignores a container's own choice",
    ),
    _texts.HARDENED_RUNC,
    Ability("seccomp", "if", "Podman runs on this machine: it reads the filter from a file"),
    Ability(
        "names through a gateway", "if", "its runtime is runc or crun: in gVisor no gateway starts"
    ),
    Ability("AppArmor, SELinux", "if", "with root; rootless Podman has SELinux labels only"),
    Ability("limits", "if", "with root, or on cgroup version 2 with delegation"),
    Ability("sandboxd verify", "yes", "where the engine runs on this machine"),
)
ALTERNATIVES = (
    Alternative(
        "a Podman service of its own with gVisor",
        "all of its containers run on gVisor; measured with Podman 5.4.2 and runsc 20240729",
        (
            "sudo apt-get install runsc",
            "podman --runtime /usr/bin/runsc --runtime-flag network=host --runtime-flag directfs=false"
            " system service --time=0 unix://$XDG_RUNTIME_DIR/podman-gvisor.sock &",
            "export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman-gvisor.sock",
            "sandboxd doctor",
        ),
    ),
    Alternative(
        "Docker's engine with gVisor",
        "a runtime for each container, and one border more than the service's",
        ("sudo apt-get install docker.io", "sudo sandboxd setup gvisor --apply"),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    return facts.engine is not None and facts.engine.kind == "podman"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "Podman's service runs every container with its own runtime, and that is not gVisor",
        "start a service with it: `podman --runtime /usr/bin/runsc --runtime-flag network=host "
        "--runtime-flag directfs=false system service --time=0 unix://SOCKET`, and set DOCKER_HOST",
    )
    return _engine.why_no_gvisor(facts, none)


def why_no_gateway(facts: HostFacts) -> Refusal | None:
    """The reason why no gateway starts; None if one may."""
    return _NO_GATEWAY if facts.usable_gvisor() is not None else None


def advice(facts: HostFacts) -> Advice:
    limits: tuple[str, ...] = ()
    steps: tuple[str, ...] = _engine.USE
    if (without := why_no_gateway(facts)) is not None:
        limits += (f"{without.why}; {without.fix}",)
        steps = ("sandboxd init", _NO_NETWORK, "sandboxd up")
    engine = facts.engine
    if engine is not None and not engine.host.startswith("unix:"):
        limits += (FILTER_ELSEWHERE,)
    if engine is not None and engine.rootless:
        limits += ("this engine is rootless: root inside is only that user outside",)
        if facts.cgroup_version == "1":
            limits += (
                "limits of memory and processes are not enforced: rootless on cgroup version 1",
            )
    if facts.system == "Darwin":
        limits += (_texts.SHARED_VM,)
    return _engine.advice(facts, limits, steps)
