"""Combines what is known about a project: its files, its container, and the last result of `verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.policy import Policy
from sandboxd.life.gateway import way_back
from sandboxd.model.container import Container
from sandboxd.model.labels import EGRESS, MADE_BY, PROFILE, UP
from sandboxd.model.remote import Port
from sandboxd.model.sandbox_id import name_of, sandbox_id, workspace_of
from sandboxd.observe.controls import without_lost
from sandboxd.observe.drift import differences, of_lost
from sandboxd.observe.pin import Pin, anew, lost, not_checked
from sandboxd.project.here import AgentSession
from sandboxd.screen import duration
from sandboxd.state.measurement import Measurement
from sandboxd.status import beside
from sandboxd.status.cache_links import with_cache_links
from sandboxd.status.halts import halted_now
from sandboxd.status.model import (
    Counts,
    InForce,
    NamesStatus,
    ProjectStatus,
    State,
    Trust,
    Verification,
)
from sandboxd.status.names import names_status
from sandboxd.status.observe import NOT_ASKED, Observed, Sandbox
from sandboxd.status.settings import settings
from sandboxd.status.sockets import with_sockets
from sandboxd.status.verification import verification
from sandboxd.verify import last_verdict
from sandboxd.verify.last_verdict import Verified, age_seconds
from sandboxd.verify.proof import with_proof

if TYPE_CHECKING:
    from sandboxd.credentials.uses import Use

BEGIN = "`sandboxd init` writes a first config"
AGENTS = "`sandboxd agent` says what each agent goes on with"


class GrantedPlan(NamedTuple):
    """The plan with which one container was started, including its grants; `container` is its id."""

    container: str
    request: Container
    downgrades: tuple[str, ...]


class Examined(NamedTuple):
    """The result of reading a project's files on this host.

    `valid` is False if its config cannot be used. `request` is the container that the engine would be asked for; None
    if there is no plan, because of that or because the host cannot do what is asked for: `problem` and `hint` say why.
    """

    exists: bool = True
    valid: bool = True
    profile: str | None = None
    request: Container | None = None
    downgrades: tuple[str, ...] = ()
    counts: Counts | None = None
    stale: bool = False
    """Whether the generated files differ from what the config results in."""
    problem: str = ""
    hint: str = ""
    trust: Trust | None = None
    digest: str = ""
    """The digest of the sandboxd.toml that was read; '' without one."""
    granted_choices: tuple[str, ...] = ()
    """The choices of the file that only the grant in force permits, as phrases."""
    granted: GrantedPlan | None = None
    egress: Policy | None = None
    """The policy of the gateway without the user's answers; also for a running gateway if there is no plan now."""
    uses: tuple[Use, ...] = ()
    """The credentials that the sandbox may use and of which the user has records."""
    editors_request: Container | None = None
    """The container that an editor would ask for, if it differs: only `up` uses volumes. Otherwise None."""
    ports: tuple[Port, ...] = ()
    """Ports that a daemon forwards while the sandbox runs."""
    ports_left: tuple[str, ...] = ()
    """Ports of the config that are not forwarded automatically, with the reason."""
    is_bare: bool = False
    """Whether it has no config at all, neither sandboxd's nor an editor's."""
    hooks_refused: tuple[str, ...] = ()
    """Lifecycle hooks that `sandboxd up` does not run, with the reason."""

    @property
    def lacks_grant(self) -> bool:
        """Whether its config is valid, and only the user's grant for it is missing or outdated."""
        return self.trust in ("none", "outdated") and "sandboxd trust add" in self.hint


def combine(
    path: str,
    examined: Examined,
    observed: Observed = NOT_ASKED,
    names: NamesStatus | None = None,
    hooks: tuple[str, ...] = (),
    ports: tuple[str, ...] = (),
    measured: Measurement | None = None,
    sessions: tuple[AgentSession, ...] = (),
    unwatched: str = "",
) -> ProjectStatus:
    """The status of one project.

    :param names: what its gateway reported; None if no gateway is connected
    :param hooks: sentences about its lifecycle hooks
    :param ports: sentences about its ports
    :param measured: the last conclusion of `bench` about a command of the project; None for none
    :param sessions: the agents' sessions on it
    :param unwatched: the reason why nobody notices when the host replaces a mounted file; '' if somebody does
    """
    if names is None and examined.egress is not None and examined.request is not None:
        names = names_status(examined.egress, None, 0.0)
    live = observed.containers.get(path)
    examined = _as_started(examined, live)
    now, halt = beside.pins_now(live), halted_now(path, live)
    others = beside.look(path, observed)
    drift = _drift(examined, live.container if live is not None else None, now)
    result = last_verdict.recall(live.id) if live is not None and live.container else None
    verified = verification(live, drift, result, lost(now))
    status = ProjectStatus(
        path=path,
        state=state(path, examined.exists, examined.valid or examined.lacks_grant, observed),
        profile=examined.profile,
        asked=settings(examined.request) if examined.request is not None else None,
        in_force=_in_force(workspace_of(path), live, verified, result, now),
        lost_pins=lost(now),
        unchecked_pins=tuple(pin.name for pin in not_checked(now)),
        lost_beside=tuple((each.name, each.lost) for each in others if each.lost),
        halted=halt.why if halt is not None else "",
        halted_beside=tuple((each.name, each.halted) for each in others if each.halted),
        unwatched=unwatched if _can_lose(live) else "",
        unseen=observed.problem or (live.problem if live is not None else ""),
        drift=drift,
        verified=verified,
        downgrades=examined.downgrades,
        counts=examined.counts,
        problem=_problem(examined, live, names),
        trust=examined.trust,
        granted=examined.granted_choices,
        names=names,
        hooks=hooks,
        measured=measured,
        ports=(*ports, *examined.ports_left) if live is not None else (),
        beside=_beside(path, observed, tuple(each.name for each in sessions)),
        agents=sessions,
        running_profile=_label(live, PROFILE),
    )
    return status._replace(hint=_hint(status, examined, observed, live, beside.next_step(others)))


def _problem(examined: Examined, live: Sandbox | None, names: NamesStatus | None) -> str:
    if examined.exists or live is None or not live.running:
        return examined.problem
    text = "its folder is gone, and its sandbox runs on"
    is_shut = names is not None and names.shut and not names.behind
    return f"{text}; its gateway lets nothing through" if is_shut else text


def _can_lose(live: Sandbox | None) -> bool:
    """Whether it runs, and an act of the host can take a mount from it: it shares a folder with mounts in it."""
    if live is None or not live.running or live.paused or live.pinned is None:
        return False
    return any(request.above for _, request in live.pinned.requests)


def _as_started(examined: Examined, live: Sandbox | None) -> Examined:
    """`examined` with the grants of the start, where the same container still exists."""
    granted = examined.granted
    if granted is None or live is None or live.container is None or live.id != granted.container:
        return examined
    return examined._replace(
        request=granted.request, downgrades=granted.downgrades, problem="", hint="", valid=True
    )


def _in_force(
    path: str,
    live: Sandbox | None,
    verified: Verification | None,
    result: Verified | None,
    now: tuple[Pin, ...],
) -> InForce | None:
    if live is None or live.container is None:
        return None
    controls = live.controls
    if result is not None and verified is not None and verified.state != "void":
        controls = with_proof(controls, result.outcomes, duration(age_seconds(result.when)))
    controls = with_sockets(without_lost(controls, now), path, live.container)
    controls = with_cache_links(controls, path, live.container)
    return InForce(settings(live.container), controls)


def state(path: str, exists: bool, is_valid: bool, observed: Observed) -> State:
    """The state of the project in the folder `path`."""
    if not exists:
        return "missing"
    if not is_valid:
        return "invalid config"
    if observed.problem:
        return "unknown"
    live = observed.containers.get(path)
    if live is None:
        return "not created"
    if live.paused:
        return "paused"
    return "running" if live.running else "stopped"


def _beside(
    path: str, observed: Observed, sessions: tuple[str, ...]
) -> tuple[tuple[str, State], ...]:
    """The named sandboxes of the workspace `path`, with those of agents that do not exist now."""
    names = {name_of(each) for each in observed.containers if workspace_of(each) == path}
    return tuple(
        (name, state(sandbox_id(path, name), True, True, observed))
        for name in sorted({*names, *sessions} - {""})
    )


def _label(live: Sandbox | None, name: str) -> str:
    return live.container.label(name) if live is not None and live.container else ""


def _drift(
    examined: Examined, live: Container | None, now: tuple[Pin, ...]
) -> tuple[str, ...] | None:
    request = examined.request
    if request is None or live is None:
        return None
    if examined.editors_request is not None and live.label(MADE_BY) != UP:
        request = examined.editors_request
    drifts = (*of_lost(now), *differences(request, live))
    return tuple(
        f"{item.control}: planned {item.planned or 'nothing'}, found {item.live or 'nothing'}"
        for item in drifts
    )


def _lacks_gateway(live: Sandbox) -> bool:
    """Whether names should pass a gateway that is gone, or is not as we make it."""
    is_behind_one = live.container is not None and bool(live.container.label(EGRESS))
    return is_behind_one and any(
        control.name == "network" and control.state == "not in force" for control in live.controls
    )


def _hint(
    status: ProjectStatus, examined: Examined, observed: Observed, live: Sandbox | None, step: str
) -> str:
    """:param step: the next step for the other containers on the workspace; '' for none"""
    import shlex

    if status.state == "missing":
        if live is not None:
            return f"move it back; or `sandboxd down --project {shlex.quote(status.path)}`"
        return f"`sandboxd daemon forget {shlex.quote(status.path)}`, or wait a day"
    if halt := halted_now(status.path, live):
        return halt.hint
    if status.lost_pins:
        return anew(live.container.label(MADE_BY) if live is not None and live.container else UP)
    if step:
        return step
    if examined.is_bare and live is None:
        return AGENTS if status.beside else BEGIN
    if examined.lacks_grant:
        return "`sandboxd trust add` shows what it asks for, and grants it"
    if examined.problem:
        return examined.hint or f"`sandboxd check {shlex.quote(status.path)}`"
    if status.state == "unknown":
        return observed.hint
    if live is not None and live.problem:
        return live.hint
    if status.state == "paused":
        return "`docker unpause` lets it go on; `sandboxd down` keeps its work and ends it"
    if live is not None and live.running and _lacks_gateway(live):
        made_by = live.container.label(MADE_BY) if live.container is not None else None
        return f"`{way_back(made_by)}` puts its gateway back"
    if examined.stale:
        return "`sandboxd generate` writes what the config asks for"
    if status.state in ("not created", "stopped"):
        return "`sandboxd up` starts the sandbox"
    if status.drift:
        return "`sandboxd up` makes the container what was asked for"
    if status.verified is not None and status.verified.state == "held":
        return ""
    if status.verified is not None and status.verified.state == "escaped":
        return "`sandboxd explain-plan` says what is not in force here, and how to mend it"
    return "`sandboxd verify` tries to escape from it"
