"""The verdict on a sandbox. Attempts are made inside, and judged by what the host sees.

What `verify` trusts: the engine and our own programs, nothing of the image and nothing that runs in the
sandbox. So the attempts are made in a replica (`verify.replica`) that has the sandbox's settings and runs
our Python alone; that the sandbox in use is as its settings say is what `observe` sees from outside.
A few attempts look for what others put into the sandbox in use: they are made there, too, and can only
make the verdict worse.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure
from sandboxd.host.folders import cache_folder
from sandboxd.life.find import sandboxes_of_up
from sandboxd.model.labels import EGRESS, PROFILE, PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import inspection, outside, surroundings
from sandboxd.observe.controls import seccomp
from sandboxd.observe.workspace import View, view
from sandboxd.plan import nested
from sandboxd.verify import attempts as attempt_list
from sandboxd.verify import inside, listeners, replica, way_out
from sandboxd.verify.canary import Canaries
from sandboxd.verify.judge import Judgement, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.attempts import Attempt
    from sandboxd.verify.judge import Outcome
    from sandboxd.verify.place import Place
    from sandboxd.verify.replica import Replica

    Progress = Callable[[int, int], None]

Attacked = Literal["sandbox", "plan", "pod"]


class Result(NamedTuple):
    """One attempt: `expected` is what should stop it under this runtime."""

    id: str
    title: str
    outcome: Outcome
    expected: str
    evidence: str
    group: str = ""
    """``egress`` for a way out by the network."""


class Verdict(NamedTuple):
    """`runtime` is the name the engine knows it by; `kernel` is ``host`` or ``own``.

    `attacked` is whose settings the replica had: those of a ``sandbox`` in use, or of a ``plan``; or it is a
    ``pod`` itself, at `place`.
    """

    container: str
    runtime: str
    kernel: str
    profile: str
    results: tuple[Result, ...]
    attacked: Attacked = "sandbox"
    place: Place | None = None

    def of(self, outcome: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def held(self) -> bool:
        """True if nothing escaped and nothing is unclear. Residual surface is declared, not held."""
        return bool(self.of("held")) and not self.of("escaped") and not self.of("inconclusive")

    @property
    def exit_code(self) -> int:
        """The exit code: 6 when something escaped, 4 when it could not be shown that the sandbox held."""
        if self.of("escaped"):
            return EXIT_NOT_HELD
        return EXIT_OK if self.held else EXIT_ENVIRONMENT


def verify(
    engine: Engine,
    container: str,
    plan: Plan | None = None,
    progress: Progress = lambda *_: None,
) -> Verdict:
    """Make every attempt on a running container: in a replica of it, and some in itself, too.

    :param plan: the container's plan: its control files and the mounts it declares
    :raises EnvironmentFailure: the container is not running, or not on this machine
    """
    inspected = engine.inspect(container)
    if not inspected["State"].get("Running"):
        raise failures.gone()
    labels = inspected["Config"].get("Labels") or {}
    target = _Target(
        engine,
        inspected,
        plan,
        plan.profile if plan else labels.get(PROFILE, ""),
        labels.get(PROJECT),
        "sandbox",
    )
    _require_this_kernel(engine)
    try:
        with replica.of_container(engine, inspected, cache_folder(os.environ)) as copy:
            return target.attack(copy, progress)
    except failures.ContainerGone:
        raise
    except EnvironmentFailure as error:
        return target.unclear(f"{error.message}, so nothing could be tried")


def verify_plan(engine: Engine, plan: Plan, progress: Progress = lambda *_: None) -> Verdict:
    """Make every attempt in a new container of a plan; no sandbox in use is touched.

    :raises EnvironmentFailure: the container does not start, or not on this machine
    """
    _require_this_kernel(engine)
    with replica.of_plan(engine, plan, cache_folder(os.environ)) as copy:
        inspected = engine.inspect(copy.started.id)
        target = _Target(engine, inspected, plan, plan.profile, plan.sandbox, "plan")
        return target.attack(copy, progress)


class _Target(NamedTuple):
    """A container that is judged, with its plan and workspace where they are known.

    `sandbox` is its identity, None where its workspace has to be recognised.
    """

    engine: Engine
    inspected: Inspected
    plan: Plan | None
    profile: str
    sandbox: str | None
    attacked: Attacked

    def attack(self, copy: Replica, progress: Progress) -> Verdict:
        attempts, started = attempt_list.load(), copy.started
        own = self.engine.inspect(started.id)
        view = _view(self.engine, own, self.sandbox and workspace_of(self.sandbox))
        plan = self.plan
        declared = [m.value.target for m in plan.container.mounts] if plan else []
        variables = [v.value.name for v in plan.container.env] if plan else []
        # Variables for our Python; the image's own may have the same names.
        variables += [pair.partition("=")[0] for pair in started.environment()]
        beside = self._gateway()
        others = {self.inspected["Id"]}
        if beside is not None:
            # They are meant to see each other, and what is beside them is not.
            others |= {
                beside.container,
                *(c.id for c in sandboxes_of_up(self.engine, beside.workspace)),
            }
        with (
            way_out.WayOut(
                self.engine, listeners.engine_pid(self.engine.host), beside, plan
            ) as out,
            Canaries(
                view,
                self.engine.host,
                self.engine.info().get("ID", ""),
                _gateways(self.engine, own),
                plan.control_files if plan else (),
                [*declared, started.home],
                surroundings.look(self.engine, own, variables, others),
                # To be read, and attacked as every other folder of the host.
                [plan.repository.target] if plan and plan.repository else (),
            ) as canaries,
        ):
            facts = canaries.facts | out.facts | _of_replica(copy, canaries.facts["tmpfs"])
            report = inside.make(self.engine, started, attempts, facts, progress)
            out.collect()
            host = canaries.host
            host = host._replace(secrets=host.secrets | out.secrets)
            path = outside.look(self.engine, own).path
            identity = _believable_identity(report.identity, host.boot_id, path)
            in_use = self._in_use(attempts, facts)
            opens_nested = _declares_nested(own, plan)
            own_kernel = _has_own_kernel(identity, host.boot_id)
            results = []
            for attempt in attempts:
                record = report.records.get(attempt.id) or _missing(report.reason)
                damage = canaries.damage(attempt.id, record) + out.arrivals(attempt.id)
                if out.is_local_refusal(record):
                    record = {"state": "stopped", "detail": "it asks the gateway, which denies"}
                profile = _declaring_profile(attempt, self.profile, self._is_behind)
                if opens_nested and (why := attempt.declared.get("nested_sandbox", "")):
                    attempt = attempt._replace(declared={profile: why})
                if why := out.declared(attempt.id):
                    attempt = attempt._replace(declared={profile: why})
                judged = judge(attempt, record, identity, host, profile, damage)
                judged = _unless_missing(attempt, judged, canaries.missing)
                if judged.outcome == "held" and (why := out.missing(attempt.id)):
                    judged = Judgement("inconclusive", why)
                worse = in_use.records.get(attempt.id)
                if worse is not None:
                    judged = _lower(judged, judge(attempt, worse, identity, host, profile, ()))
                expected = attempt.expected["runsc" if own_kernel else "runc"]
                results.append(
                    Result(
                        attempt.id,
                        attempt.title,
                        judged.outcome,
                        expected,
                        judged.evidence,
                        attempt.group,
                    )
                )
        return self._verdict("own" if own_kernel else "host", results)

    @property
    def _is_behind(self) -> bool:
        """Whether only names through a gateway lead out of it, as `up` says and the plan wants."""
        if self.plan is not None and self.attacked == "plan":
            return self.plan.egress is not None
        return bool((self.inspected["Config"].get("Labels") or {}).get(EGRESS))

    def _gateway(self) -> way_out.Beside | None:
        if not self._is_behind or self.sandbox is None:
            return None
        return way_out.find(self.engine, self.sandbox)

    def unclear(self, reason: str) -> Verdict:
        """A verdict in which every attempt is inconclusive, for `reason`."""
        kernel = "own" if outside.look(self.engine, self.inspected).is_gvisor else "host"
        expected = "runsc" if kernel == "own" else "runc"
        return self._verdict(
            kernel,
            [
                Result(a.id, a.title, "inconclusive", a.expected[expected], reason, a.group)
                for a in attempt_list.load()
            ],
        )

    def _in_use(self, attempts: Iterable[Attempt], facts: Mapping[str, Any]) -> inside.Report:
        if self.attacked == "plan":
            return inside.NOTHING
        live = [attempt for attempt in attempts if attempt.live]
        return inside.look_around(self.engine, self.inspected["Id"], live, facts)

    def _verdict(self, kernel: str, results: Iterable[Result]) -> Verdict:
        return Verdict(
            self.inspected["Name"].lstrip("/"),
            self.inspected["HostConfig"].get("Runtime") or "",
            kernel,
            self.profile,
            tuple(results),
            self.attacked,
        )


def _declares_nested(inspected: Inspected, plan: Plan | None) -> bool:
    """Whether the calls of `nested_sandbox` are open on purpose: by a list of ours, and by the plan."""
    if plan is not None and not nested.is_list(plan.seccomp_path):
        return False
    option = inspection.container(inspected).option(seccomp.NAME)
    return option is not None and nested.is_list(seccomp.profile_name(option.value.value))


def _missing(reason: str) -> dict[str, str]:
    return {"state": "unclear", "detail": reason}


def _lower(judged: Judgement, in_use: Judgement) -> Judgement:
    """The worse of both judgements; the sandbox in use cannot improve one."""
    worse = in_use.outcome in ("escaped", "residual") and judged.outcome != "escaped"
    return in_use if worse else judged


def _believable_identity(
    identity: Mapping[str, Any], host_boot_id: str, runtime_path: str
) -> Mapping[str, Any]:
    """The identity from inside, without the claim of an own kernel where the runtime gives none."""
    shared = os.path.basename(runtime_path) in ("runc", "crun", "docker-runc", "youki")
    if shared and identity.get("boot_id") != host_boot_id:
        return {**identity, "boot_id": ""}
    return identity


def _declaring_profile(attempt: Attempt, profile: str, is_behind: bool) -> str:
    """The profile that may leave an attempt open, '' for none: behind a gateway nothing of the network is."""
    return "" if is_behind and attempt.group else profile


def _has_own_kernel(identity: Mapping[str, Any], host_boot_id: str) -> bool:
    """Whether the inside runs a kernel of its own; no where either of the two is not known."""
    boot_id = identity.get("boot_id")
    return bool(boot_id and host_boot_id) and boot_id != host_boot_id


def _unless_missing(attempt: Attempt, judged: Judgement, missing: Mapping[str, str]) -> Judgement:
    """`judged`, but inconclusive where the attempt's bait is missing."""
    if attempt.id in missing and judged.outcome in ("held", "not-applicable"):
        return Judgement("inconclusive", missing[attempt.id])
    return judged


def _require_this_kernel(engine: Engine) -> None:
    if engine.is_local and engine.info().get("KernelVersion") == os.uname().release:
        return
    raise EnvironmentFailure(
        f"the engine at `{engine.host}` runs on another machine or in a virtual machine",
        "run `sandboxd verify` there: it has to look at the host's files and processes",
    )


def _view(engine: Engine, inspected: Inspected, workspace: str | None) -> View:
    def device(volume: str) -> str | None:
        description = engine.volume(volume)
        options = (description.get("Options") if description is not None else None) or {}
        return options.get("device") if "bind" in options.get("o", "").split(",") else None

    return view(inspected, device, workspace)


def _gateways(engine: Engine, inspected: Inspected) -> list[str]:
    """Host addresses on the container's networks; the default bridge's where it has none."""
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = [n.get("Gateway") or "" for name, n in networks.items() if name != "none"]
    for name in [*networks, "bridge"]:
        addresses += engine.network_gateways(name)
    return list(dict.fromkeys(address for address in addresses if address))


def _of_replica(copy: replica.Replica, tmpfs: Mapping[str, int]) -> dict[str, Any]:
    """The facts for attempts in which the replica differs from the sandbox."""
    return {
        "image_nodes": copy.nodes,
        "volumes": list(copy.volumes),
        "tmpfs": {path: size for path, size in tmpfs.items() if path not in copy.volumes},
    }
