"""Windows without Docker Desktop: configs are checked here, sandboxes run in WSL2 or elsewhere.

There are no Unix sockets for the daemon and no Linux containers without a Linux kernel. `check`
and `lsp` run in-process, `status` answers once.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal

TITLE = "Windows"
PRIORITY = 20
RUN = None
ABILITIES = (
    Ability("sandboxd check, lsp", "yes", "no engine is needed"),
    Ability("gVisor", "no", "it runs Linux programs on a Linux kernel"),
    Ability("sandboxd daemon", "no", "Windows itself has no Unix sockets for it: use WSL2"),
)
ALTERNATIVES = (
    Alternative(
        "WSL2 with its own Docker engine",
        "a Linux kernel, the daemon, and gVisor to be tried",
        ("wsl --install Debian", "sudo apt-get install docker.io", "sandboxd doctor"),
    ),
)

_WSL = "install WSL2 (`wsl --install Debian`) and run sandboxd in it"


def matches(facts: HostFacts) -> bool:
    return facts.system == "Windows"


def why_no_gvisor(_facts: HostFacts) -> Refusal:
    return Refusal("gVisor runs on Linux; this is Windows", _WSL)


def advice(_facts: HostFacts) -> Advice:
    return Advice(
        ("on Windows itself there is no daemon: `check` and `lsp` work, `status` answers once",),
        ("wsl --install Debian",),
    )
