"""A GitHub Actions runner: a Linux machine for one job, with Docker and passwordless sudo.

The machine is thrown away after the job, so gVisor protects the job's secrets and what it
publishes, not the machine. Setting it up costs seconds: install, reload, no restart.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "GitHub Actions runner"
PRIORITY = 40
RUN = None
ABILITIES = (
    Ability("gVisor", "yes", "on Linux runners, after `sudo sandboxd setup gvisor --apply`"),
    _texts.HARDENED_RUNC,
    Ability("AppArmor", "if", "the runner's kernel has it; the engine's answer decides"),
    Ability("sandboxd verify", "yes", "every attempt"),
    Ability(
        "sandboxd check", "yes", "`--format github` annotates the pull request; no engine needed"
    ),
)
ALTERNATIVES = (
    Alternative(
        "check only",
        "finds what a config gives away, without a container",
        ("sandboxd check --format github",),
    ),
    Alternative(
        "gVisor in the job",
        "the job's own containers run on gVisor's kernel",
        ("sudo sandboxd setup gvisor --apply", "sandboxd up", "sandboxd verify"),
    ),
    _texts.HARDEN,
)


def matches(facts: HostFacts) -> bool:
    return facts.ci == "github" and facts.system == "Linux"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "no gVisor runtime is registered with the runner's engine",
        "add a step `sudo sandboxd setup gvisor --apply` to the job",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    if facts.usable_gvisor() is not None:
        return _engine.advice(facts, (), ("sandboxd up", "sandboxd verify"))
    steps = ("sudo sandboxd setup gvisor --apply", "sandboxd up", "sandboxd verify")
    return _engine.advice(facts, (), steps)
