"""Does the sandbox hold? Attempts are made inside, and judged by what the host sees.

What `verify` trusts: the engine, and what runs the attempts. In a sandbox that is in use, a program that
runs already, or the image's shell and `tar` that unpack our Python, could meddle with them. A fresh
container of the same plan (`verify.fresh`) has neither: what it shows is of the plan, and `drift` shows
that the sandbox in use is like that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure
from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.observe import outside, surroundings
from sandboxd.observe.workspace import View, view
from sandboxd.verify import attempts as attempt_list
from sandboxd.verify import fresh, inside
from sandboxd.verify.canary import Canaries
from sandboxd.verify.judge import Judgement, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.attempts import Attempt
    from sandboxd.verify.judge import Outcome

    Progress = Callable[[int, int], None]


class Result(NamedTuple):
    """One attempt: `expected` is what should stop it under this runtime."""

    id: str
    title: str
    outcome: Outcome
    expected: str
    evidence: str


class Verdict(NamedTuple):
    """`runtime` is the name the engine knows it by; `kernel` is ``host`` or ``own``.

    `python` is what made the attempts: ``own``, the one that sandboxd brought; ``fresh``, the same in a
    container in which nothing else ever ran; ``image``, which could answer falsely.
    """

    container: str
    runtime: str
    kernel: str
    profile: str
    results: tuple[Result, ...]
    python: str = "own"

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
    is_fresh: bool = False,
) -> Verdict:
    """Make every attempt in a running container.

    :param plan: the container's plan: its control files and the mounts it declares
    :param is_fresh: the container was made for this, by `verify.fresh`
    :raises EnvironmentFailure: the container is not running, or not on this machine
    """
    inspected = engine.inspect(container)
    if not inspected["State"].get("Running"):
        raise failures.gone()
    info = engine.info()
    _require_this_kernel(engine, info)
    labels = inspected["Config"].get("Labels") or {}
    profile = plan.profile if plan else labels.get(PROFILE, "")
    attempts = attempt_list.load()
    if is_fresh and plan:
        labels = {**labels, PROJECT: plan.workspace}
    seen = _view(engine, inspected, labels)
    declared = [m.value.target for m in plan.container.mounts] if plan else []
    declared += [fresh.HOME, fresh.PRELOADED] if is_fresh else []
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
        report = inside.make(engine, inspected["Id"], attempts, canaries.facts, progress, is_fresh)
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
        "fresh" if is_fresh else "own" if report.own_python else "image",
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

    return view(inspected, device, labels.get(PROJECT))


def _gateways(engine: Engine, inspected: Mapping[str, Any]) -> list[str]:
    """Host addresses on the container's networks; the default bridge's where it has none."""
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    found = [n.get("Gateway") or "" for name, n in networks.items() if name != "none"]
    for name in [*networks, "bridge"]:
        found += engine.network_gateways(name)
    return list(dict.fromkeys(address for address in found if address))
