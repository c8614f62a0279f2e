"""An engine on another machine: a context or DOCKER_HOST with tcp:// or ssh://.

Folders are mounted from *its* disk. Docker's `-v` makes a missing one and mounts it empty, without
a word; sandboxd compares what the engine sees with what is here, and refuses. An address without
TLS gives root on that machine to whoever reaches it.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "An engine on another machine"
PRIORITY = 100
RUN = None
ABILITIES = (
    Ability("gVisor", "yes", "after it is installed there"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "if", "that machine's kernel has it; the engine's answer decides"),
    Ability(
        "files",
        "if",
        "the workspace has the same path and content there; `sandboxd up` looks first",
    ),
    Ability(
        "sandboxd verify",
        "no",
        "it has to look at that machine's files and processes: run it there",
    ),
)
ALTERNATIVES = (
    Alternative(
        "sandboxd on that machine",
        "with an editor's remote connection, everything works as on Linux",
        ("ssh HOST sudo sandboxd setup gvisor --apply", "ssh HOST sandboxd doctor"),
    ),
    Alternative(
        "its engine, by ssh",
        "no open port, and the user's own key as permission; `ssh HOST` must ask nothing",
        ("export DOCKER_HOST=ssh://HOST", "sandboxd doctor"),
    ),
)

_PLAIN = (
    "the address has no TLS: whoever reaches its port is root on that machine; use TLS "
    "(`dockerd --tlsverify`) or ssh (`DOCKER_HOST=ssh://HOST`)"
)


def matches(facts: HostFacts) -> bool:
    engine = facts.engine
    return engine is not None and engine.host.startswith(
        ("tcp://", "ssh://", "http://", "https://")
    )


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "the engine on the other machine has no gVisor runtime",
        "run `sudo sandboxd setup gvisor --apply` there",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits: tuple[str, ...] = (
        "folders are mounted from the other machine's disk; `sandboxd up` refuses where they differ",
    )
    engine = facts.engine
    if engine is not None and engine.host.startswith(("tcp://", "http://")) and engine.tls is False:
        limits += (_PLAIN,)
    return _engine.advice(facts, limits, _engine.USE)
