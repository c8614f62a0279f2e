"""Runs the escape attempts on a container of this machine: made inside, and judged by what the host observes.

`verify` trusts the engine and our own programs, but nothing of the image and nothing that runs in the sandbox. So the
attempts are made in a replica (`replica`), which has the sandbox's settings and runs only our Python; that the
sandbox itself has these settings is what `observe` checks from outside. A few attempts look for what others put into
the sandbox: they are also made in the sandbox itself, and can only make the verdict worse.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.docker import replica, way_out
from sandboxd.backends.docker.in_replica import Judges, Known
from sandboxd.egress import placeholder
from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder
from sandboxd.life import services
from sandboxd.life.find import sandboxes_of_up
from sandboxd.model.labels import EGRESS, PROFILE, PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import inspection, outside, pins, surroundings
from sandboxd.observe.controls import seccomp
from sandboxd.observe.pin import requests
from sandboxd.observe.workspace import View, view
from sandboxd.plan import nested
from sandboxd.verify import attempts as attempt_list
from sandboxd.verify import inside, last_verdict, listeners, pins_in_use
from sandboxd.verify.canary import Canaries
from sandboxd.verify.scratch_git import is_own_git
from sandboxd.verify.verdict import Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.backends.docker.replica import Replica
    from sandboxd.engine.client import Engine
    from sandboxd.engine.payload.container import Started
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.attempts import Attempt
    from sandboxd.verify.verdict import Attacked

    Progress = Callable[[int, int], None]


def verify(
    engine: Engine,
    container: str,
    plan: Plan | None = None,
    progress: Progress = lambda *_: None,
) -> Verdict:
    """Make every attempt on a running container: in a replica of it, and some in the container itself.

    :param plan: the container's plan, with its control files and declared mounts; None if it is not known
    :param progress: called with the number of finished attempts and of all
    :raises EnvironmentFailure: the container does not run, or not on this machine
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


def attack(
    engine: Engine, container: str, plan: Plan | None, progress: Progress
) -> tuple[Verdict, float]:
    """`verify` a container, and keep the verdict for as long as it is the one that was attacked; return it, and the
    seconds that the attempts took.
    """
    # Looked at first: a sandbox that ends in the middle is another one afterwards.
    inspected = engine.inspect(container)
    began = time.monotonic()
    verdict = verify(engine, container, plan, progress)
    seconds = time.monotonic() - began
    last_verdict.keep(inspected, verdict)
    return verdict, seconds


def verify_plan(engine: Engine, plan: Plan, progress: Progress = lambda *_: None) -> Verdict:
    """Make every attempt in a new container of a plan; no existing sandbox is touched.

    :param progress: called with the number of finished attempts and of all
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
        beside = self._gateway()
        pid = listeners.engine_pid(self.engine.host)
        with (
            way_out.WayOut(self.engine, pid, beside, self.plan) as out,
            self._canaries(own, started, beside) as canaries,
        ):
            facts = canaries.facts | out.facts | _of_replica(copy, canaries.facts["tmpfs"])
            facts |= {"pinned": self._pinned()}
            report = inside.make(self.engine, started, attempts, facts, progress)
            out.collect()
            known = Known(
                report,
                self._in_use(attempts, facts),
                outside.look(self.engine, own).path,
                self.profile,
                self._is_behind,
                _declares_nested(own, self.plan),
                _losses(self.plan),
            )
            judges = Judges(known, canaries, out)
            results = judges.results(attempts)
        return self._verdict("own" if judges.has_own_kernel else "host", results)

    def _pinned(self) -> list[str]:
        """The paths inside of all read-only pins."""
        return [pin.target for pin in requests(self.inspected) if pin.is_read_only]

    @property
    def _is_behind(self) -> bool:
        """Whether only names through a gateway lead out of it, as `up` says and the plan wants."""
        if self.plan is not None and self.attacked == "plan":
            return self.plan.egress is not None
        return bool((self.inspected["Config"].get("Labels") or {}).get(EGRESS))

    def _canaries(
        self, own: Inspected, started: Started, beside: way_out.Beside | None
    ) -> Canaries:
        """The canaries for the replica `started`, whose inspection is `own`."""
        plan = self.plan
        mounted = _view(self.engine, own, self.sandbox and workspace_of(self.sandbox))
        declared = [m.value.target for m in plan.container.mounts] if plan else []
        # Written inside on purpose: git on the host never reads it.
        declared += [mount.target for mount in mounted.mounts if is_own_git(mount.source)]
        variables = [v.value.name for v in plan.container.env] if plan else []
        # Variables for our Python; the image's own may have the same names.
        variables += [pair.partition("=")[0] for pair in started.environment()]
        variables += _placeholders(own)
        return Canaries(
            mounted,
            self.engine.host,
            self.engine.info().get("ID", ""),
            _gateways(self.engine, own),
            plan.control_files if plan else (),
            [*declared, started.home],
            surroundings.look(self.engine, own, variables, self._meant_to_be_seen(beside)),
            # To be read, and attacked as every other folder of the host.
            [plan.repository.target] if plan and plan.repository else (),
        )

    def _meant_to_be_seen(self, beside: way_out.Beside | None) -> set[str]:
        """The ids of itself, its gateway, and the sandboxes and services behind that; no other is meant to be seen."""
        if beside is None:
            return {self.inspected["Id"]}
        ours = sandboxes_of_up(self.engine, beside.workspace)
        ours += services.find(self.engine, beside.workspace)
        return {self.inspected["Id"], beside.container, *(each.id for each in ours)}

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
        made_as = (self.inspected["Config"].get("Labels") or {}).get(PROFILE, "")
        return Verdict(
            self.inspected["Name"].lstrip("/"),
            self.inspected["HostConfig"].get("Runtime") or "",
            kernel,
            self.profile,
            tuple(pins_in_use.judged(results, pins.look(pins.subject(self.inspected)))),
            self.attacked,
            made_as="" if made_as == self.profile else made_as,
        )


def _declares_nested(inspected: Inspected, plan: Plan | None) -> bool:
    """Whether the calls of `nested_sandbox` are open on purpose: by a list of ours, and by the plan."""
    if plan is not None and not nested.is_list(plan.seccomp_path):
        return False
    option = inspection.container(inspected).option(seccomp.NAME)
    return option is not None and nested.is_list(seccomp.profile_name(option.value.value))


def _losses(plan: Plan | None) -> dict[str, str]:
    """Why controls are not in force on this host, by control; {} where no plan is known."""
    return {loss.control: loss.why for loss in plan.downgrades_of_up()} if plan else {}


def _placeholders(inspected: Inspected) -> list[str]:
    """The names of variables that have a placeholder in place of a secret, as a credential sets them."""
    pairs = (pair.partition("=") for pair in inspected["Config"].get("Env") or ())
    return [name for name, _, value in pairs if placeholder.is_one(value)]


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
    # Podman's default bridge is there only while a container is on it.
    default = [] if engine.is_podman() else ["bridge"]
    for name in [*networks, *default]:
        addresses += engine.network_gateways(name)
    return list(dict.fromkeys(address for address in addresses if address))


def _of_replica(copy: replica.Replica, tmpfs: Mapping[str, int]) -> dict[str, Any]:
    """The facts for attempts in which the replica differs from the sandbox."""
    return {
        "image_nodes": copy.nodes,
        "volumes": list(copy.volumes),
        "tmpfs": {path: size for path, size in tmpfs.items() if path not in copy.volumes},
    }
