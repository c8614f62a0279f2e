"""Docker Desktop on macOS: containers run in a virtual machine that users cannot add gVisor to.

The installation guide says that gVisor "needs direct access to the host kernel" and that "the VM
layer prevents proper gVisor integration". That is not the reason: gVisor runs well in virtual
machines (our own measurements were made in one). The reason is that Docker Desktop's machine is
Docker's: a runtime put into it by hand is gone after an update, and there is no supported way
(google/gvisor#11238, docker/desktop-feedback#364).
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Refusal, _engine, _texts

TITLE = "Docker Desktop on macOS"
PRIORITY = 80
RUN = None
ABILITIES = (
    Ability("gVisor", "no", "Docker Desktop's virtual machine takes no further runtime that stays"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "no", "Docker Desktop's kernel does not have it"),
    Ability("limits", "yes", "by cgroups of the virtual machine"),
    Ability(
        "files", "if", "the folder is shared with the machine (Settings, Resources, File sharing)"
    ),
    _texts.VERIFY_THERE,
)
ALTERNATIVES = (_texts.LINUX_VM, _texts.HARDEN)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return facts.system == "Darwin" and engine is not None and engine.kind == "docker-desktop"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "Docker Desktop runs containers in its own virtual machine, which has no gVisor",
        "use a Linux virtual machine with its own Docker (Lima, Colima) and set DOCKER_HOST to it",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = () if facts.usable_gvisor() is not None else (_texts.SHARED_VM,)
    return _engine.advice(facts, limits, _engine.USE)
