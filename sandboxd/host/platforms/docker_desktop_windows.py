"""Docker Desktop on Windows, seen from Windows or from a WSL2 distribution that it serves.

Containers run in a WSL2 or Hyper-V machine of Docker's own. Installing runsc in one's own WSL2
distribution does not reach that machine: the engine answers "no such file or directory"
(google/gvisor#11370). What the installation guide proposes, Docker's own engine inside WSL2, is a
way, but one that gVisor's maintainers do not support.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "Docker Desktop on Windows"
PRIORITY = 80
RUN = None
ABILITIES = (
    Ability("gVisor", "no", "Docker Desktop's virtual machine takes no further runtime that stays"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "no", "Docker Desktop's kernel does not have it"),
    Ability("limits", "yes", "by cgroups of the virtual machine"),
    Ability("sandboxd daemon", "if", "run in WSL2: Windows itself has no Unix sockets for it"),
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (
    Alternative(
        "WSL2 with its own Docker engine",
        "gVisor can be tried there; its maintainers do not support WSL",
        (
            "wsl --install Debian",
            "sudo apt-get install docker.io",
            "sudo sandboxd setup gvisor --apply",
            "sandboxd doctor",
        ),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    windows = facts.system == "Windows" or bool(facts.wsl)
    return windows and engine is not None and engine.kind == "docker-desktop"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "Docker Desktop runs containers in its own virtual machine, which has no gVisor",
        "use WSL2 with its own Docker engine: `sudo apt-get install docker.io` in the distribution, "
        "and switch Docker Desktop's WSL integration off for it",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits: tuple[str, ...] = ()
    if facts.usable_gvisor() is None:
        limits = (_texts.SHARED_VM,)
    if facts.system == "Windows":
        limits += (
            "on Windows itself there is no daemon: `check` and `lsp` work, `status` answers once; "
            "run sandboxd in WSL2 for the rest",
        )
        return _engine.advice(facts, limits, ("wsl -- sandboxd doctor", "wsl -- sandboxd up"))
    return _engine.advice(facts, limits, _engine.USE)
