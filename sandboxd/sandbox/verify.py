"""Does the sandbox hold? Attempts are made inside, and judged by what the host sees.

What `verify` trusts: the engine, and the Python that runs the attempts. It proves a sandbox against
code that breaks out, not against an image that was built to answer falsely, nor against a program
that runs inside already, as the same user or as root, and meddles with the attempts. Verify a fresh
sandbox, before its code ran.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure
from sandboxd.sandbox import attempts as attempt_list
from sandboxd.sandbox import failures, inside, outside, run, surroundings
from sandboxd.sandbox.canary import Canaries
from sandboxd.sandbox.judge import Judgement, judge
from sandboxd.sandbox.workspace_view import View, view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.plan.plan import Plan
    from sandboxd.sandbox.attempts import Attempt
    from sandboxd.sandbox.engine import Engine
    from sandboxd.sandbox.judge import Outcome

    Progress = Callable[[int, int], None]


class Result(NamedTuple):
    """One attempt: `expected` is what should stop it under this runtime."""

    id: str
    title: str
    outcome: Outcome
    expected: str
    evidence: str


class Verdict(NamedTuple):
    """`runtime` is the name the engine knows it by; `kernel` is ``host`` or ``own``."""

    container: str
    runtime: str
    kernel: str
    profile: str
    results: tuple[Result, ...]

    def of(self, outcome: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def held(self) -> bool:
        """Nothing escaped, and nothing is left unclear. Residual surface is declared, not held."""
        return bool(self.of("held")) and not self.of("escaped") and not self.of("inconclusive")

    @property
    def exit_code(self) -> int:
        """6 when something escaped; 4 when it could not be shown that it held."""
        if self.of("escaped"):
            return EXIT_NOT_HELD
        return EXIT_OK if self.held else EXIT_ENVIRONMENT


def verify(
    engine: Engine,
    container: str,
    plan: Plan | None = None,
    progress: Progress = lambda *_: None,
) -> Verdict:
    """Make every attempt in a running container.

    :param plan: the container's plan: its control files and the mounts it declares
    :raises EnvironmentFailure: the container is not running, or not on this machine
    """
    inspected = engine.inspect(container)
    if not inspected["State"].get("Running"):
        raise failures.gone()
    info = engine.info()
    _require_this_kernel(engine, info)
    labels = inspected["Config"].get("Labels") or {}
    profile = plan.profile if plan else labels.get(run.PROFILE, "")
    attempts = attempt_list.load()
    seen = _view(engine, inspected, labels)
    declared = [m.value.target for m in plan.container.mounts] if plan else []
    given = [v.value.name for v in plan.container.env] if plan else []
    with Canaries(
        seen,
        engine.host,
        info.get("ID", ""),
        _gateways(engine, inspected),
        plan.control_files if plan else (),
        declared,
        surroundings.look(engine, inspected, given),
    ) as canaries:
        report = inside.make(engine, inspected["Id"], attempts, canaries.facts, progress)
        host = canaries.host
        identity = _believed(report.identity, host.boot_id, outside.look(engine, inspected).path)
        own_kernel = bool(identity.get("boot_id")) and identity["boot_id"] != host.boot_id
        results = []
        for attempt in attempts:
            record = report.records.get(attempt.id) or {"state": "unclear", "detail": report.reason}
            damage = canaries.damage(attempt.id, record)
            judged = judge(attempt, record, identity, host, profile, damage)
            judged = _unless_missing(attempt, judged, canaries.missing)
            expected = attempt.expected["runsc" if own_kernel else "runc"]
            results.append(
                Result(attempt.id, attempt.title, judged.outcome, expected, judged.evidence)
            )
    return Verdict(
        inspected["Name"].lstrip("/"),
        inspected["HostConfig"].get("Runtime") or "",
        "own" if own_kernel else "host",
        profile,
        tuple(results),
    )


def _believed(
    identity: Mapping[str, Any], host_boot_id: str, runtime_path: str
) -> Mapping[str, Any]:
    """What the inside says of itself, without a kernel of its own that its runtime cannot give it."""
    shared = os.path.basename(runtime_path) in ("runc", "crun", "docker-runc", "youki")
    if shared and identity.get("boot_id") != host_boot_id:
        return {**identity, "boot_id": ""}
    return identity


def _unless_missing(attempt: Attempt, judged: Judgement, missing: Mapping[str, str]) -> Judgement:
    """An attempt that had nothing to find proves nothing by not finding it."""
    if attempt.id in missing and judged.outcome in ("held", "not-applicable"):
        return Judgement("inconclusive", missing[attempt.id])
    return judged


def _require_this_kernel(engine: Engine, info: Mapping[str, Any]) -> None:
    if engine.is_local and info.get("KernelVersion") == os.uname().release:
        return
    raise EnvironmentFailure(
        f"the engine at `{engine.host}` runs on another machine or in a virtual machine",
        "run `sandboxd verify` there: it has to look at the host's files and processes",
    )


def _view(engine: Engine, inspected: Mapping[str, Any], labels: Mapping[str, str]) -> View:
    def device(volume: str) -> str | None:
        options = (engine.volume(volume) or {}).get("Options") or {}
        return options.get("device") if "bind" in options.get("o", "").split(",") else None

    return view(inspected, device, labels.get(run.PROJECT))


def _gateways(engine: Engine, inspected: Mapping[str, Any]) -> list[str]:
    """Host addresses on the container's networks; the default bridge's where it has none."""
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    found = [n.get("Gateway") or "" for name, n in networks.items() if name != "none"]
    for name in [*networks, "bridge"]:
        found += engine.network_gateways(name)
    return list(dict.fromkeys(address for address in found if address))
