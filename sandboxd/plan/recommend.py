"""Recommends settings for a purpose on this host: the planner's own decision, with reasons and costs.

The purposes are those of the installation guide's "Recommendations" and the two that people ask
for most. Figures of the guide are marked as the guide's; measured ones come from `sandboxd bench`.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.host.facts.builds import UPDATE, shortfall
from sandboxd.host.platforms import why_no_gateway
from sandboxd.plan import profiles
from sandboxd.plan.runtime import Choice, Decision, decide


class Purpose(NamedTuple):
    """A purpose for which users want a recommendation.

    `asked` is the value of `runtime` that sandboxd.toml would have; `guide` is the installation guide's own sentence.
    """

    name: str
    what: str
    profile: str
    asked: str
    guide: str = ""


PURPOSES = (
    Purpose(
        "development",
        "daily work on code that the team knows",
        "dev",
        "auto",
        "Development macOS/Windows: Use runc + seccomp + capability dropping",
    ),
    Purpose("agent", "an AI agent that nobody watches", "agent", "auto"),
    Purpose(
        "production",
        "builds and services on a Linux server",
        "dev",
        "gvisor",
        "Production Linux: Use gVisor + seccomp + AppArmor (defense-in-depth)",
    ),
    Purpose(
        "high-security",
        "code that is expected to be hostile",
        "agent",
        "gvisor",
        "High Security: Consider Linux host with full gVisor support",
    ),
)


class Loss(NamedTuple):
    """An alternative, and what it lacks compared with the recommendation."""

    alternative: str
    loses: str


class Cost(NamedTuple):
    """The performance cost of a runtime.

    `source` says where the figure is from: ``guide``, or where it was measured.
    """

    what: str
    figure: str
    source: str


class Recommendation(NamedTuple):
    """The lines for sandboxd.toml, or the reason why nothing may run here for this purpose."""

    purpose: Purpose
    decision: Decision
    controls: tuple[str, ...]
    """Other controls than the runtime, with whether each matters on this host."""
    costs: tuple[Cost, ...]
    losses: tuple[Loss, ...]


_GUIDE = "the guide's figure, not measured"
_OURS = "measured on one machine with runsc 20240729, see docs/seed-guide.md"

GUIDE_COSTS = (
    Cost("runc", "the baseline", _GUIDE),
    Cost("runc + seccomp", "~2-5 %", _GUIDE),
    Cost("gVisor", "~10-20 %", _GUIDE),
)
OUR_COSTS = (
    Cost("runc + seccomp", "0-5 % of real work", _OURS),
    Cost("gVisor, computing", "none", _OURS),
    Cost("gVisor, starting processes", "3-10 x", _OURS),
    Cost("gVisor, many small files of the workspace", "10-30 x", _OURS),
)


def recommend(
    facts: HostFacts, purpose: Purpose, measured: tuple[Cost, ...] = ()
) -> Recommendation:
    """The recommendation for `purpose` on this host; `measured` is what `bench` found here."""
    profile = profiles.load(purpose.profile)
    decision = decide(profile, purpose.asked, facts)
    choice = decision.choice if decision.choice is not None and decision.choice.gvisor else None
    return Recommendation(
        purpose,
        decision,
        _controls(facts, profile, choice),
        measured or (*GUIDE_COSTS, *OUR_COSTS),
        _losses(facts, profile, choice),
    )


def _controls(
    facts: HostFacts, profile: profiles.Profile, gvisor: Choice | None
) -> tuple[str, ...]:
    """:param gvisor: None where the host's kernel is shared"""
    lines = []
    if gvisor is not None:
        lines.append("gVisor: programs inside call its kernel, not the host's")
        lines.append(
            "seccomp: this gVisor honours it, also for what enters by `exec` (tried here)"
            if gvisor.filters_exec
            else "seccomp: gVisor honours it for what the container's first process starts, "
            "not for what enters by `exec`"
        )
        lines.append("AppArmor: gVisor ignores it; it confines runc's containers only")
    else:
        lines.append(f"seccomp: {_availability(facts.seccomp if facts.answered else None)}")
        lines.append(f"AppArmor: {_availability(facts.apparmor if facts.answered else None)}")
    added = f", {', '.join(profile.cap_add)} given back" if profile.cap_add else ""
    lines.append(f"capabilities: {' '.join(profile.cap_drop)} dropped{added}")
    if profile.no_new_privileges:
        lines.append("no-new-privileges: a setuid program gives nobody more rights")
    without = why_no_gateway(facts)
    if without is not None and profile.network.mode == "allow":
        lines.append(f"network: {without.why}; {without.fix}")
    return tuple(lines)


def _availability(value: bool | None) -> str:
    if value is None:
        return "unknown here"
    return "offered by this engine" if value else "not offered by this engine"


def _losses(facts: HostFacts, profile: profiles.Profile, gvisor: Choice | None) -> tuple[Loss, ...]:
    if gvisor is not None:
        losses = [Loss("runc", "every hole of the host's kernel is one of the sandbox, too")]
        if gvisor.build is not None and shortfall(gvisor.build):
            losses.append(
                Loss("this build against today's", f"{shortfall(gvisor.build)}; `{UPDATE}`")
            )
        losses += _of_directfs(gvisor.build)
    else:
        losses = [
            Loss("gVisor elsewhere", "nothing but speed with many small files"),
            Loss("runc without the profile", "seccomp list, dropped capabilities, read-only pins"),
        ]
    if facts.apparmor is False and facts.answered and gvisor is None:
        losses.append(Loss("AppArmor", "this engine does not offer it: it is not counted"))
    if profile.network.without_gateway == "none":
        losses.append(
            Loss("the `dev` profile", "registries are reached: what is read can be sent there")
        )
    return tuple(losses)


def _of_directfs(build: Runtime | None) -> list[Loss]:
    """The other of our two gVisor runtimes: the faster one, or the one without directfs."""
    if build is None or not build.pins_hold():
        return []
    if build.directfs_off():
        why = "plain read-only folders do not hold: pins are made by volumes instead"
        return [Loss("a stock `runsc` (directfs on)", why)]
    return [Loss("a runtime with `--directfs=false`", "3-4 x slower on files of the host")]
