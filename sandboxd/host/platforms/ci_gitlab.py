"""A GitLab job: usually itself a container, with an engine beside it (Docker in Docker) or none.

What the job can do is the runner's decision, not the job's: the service container runs privileged
or there is no engine. gVisor belongs on the runner's machine, installed once by who runs it.
"""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Alternative, Refusal, _engine, _texts

TITLE = "GitLab CI job"
PRIORITY = 110
RUN = None
ABILITIES = (
    Ability("sandboxd check", "yes", "no engine is needed"),
    Ability("gVisor", "if", "the runner's engine has it; a job cannot install it there"),
    _texts.HARDENED_RUNC,
    Ability(
        "files", "if", "the job's folder exists for the engine, too; `sandboxd up` looks first"
    ),
    Ability("sandboxd verify", "no", "the engine's machine is not the job's"),
)
ALTERNATIVES = (
    Alternative(
        "check only",
        "finds what a config gives away, without a container",
        ("sandboxd check",),
    ),
    Alternative(
        "gVisor on the runner's machine",
        'every job\'s container then runs on it: `runtime = "runsc-sandboxd"` in config.toml',
        ("sudo sandboxd setup gvisor --apply", "sudo gitlab-runner restart"),
    ),
)


def matches(facts: HostFacts) -> bool:
    return facts.ci == "gitlab"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal(
        "the engine that this job may use has no gVisor runtime",
        "ask who runs the runner: `sudo sandboxd setup gvisor --apply` on its machine",
    )
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    limits = ("the engine is the runner's: a job cannot give it a runtime",)
    steps = ("sandboxd check",) if facts.usable_gvisor() is None else ("sandboxd up",)
    engine = facts.engine
    if engine is None or engine.error:
        return Advice(limits, ("sandboxd check",))
    return Advice(limits, steps)
