"""A project's files, the engine's answer and the last result of `verify`, put together."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.model.container import Container
from sandboxd.observe.drift import differences
from sandboxd.status.model import Counts, InForce, ProjectStatus, State, Trust, Verification
from sandboxd.status.observe import NOT_ASKED, Observed, Seen
from sandboxd.status.settings import settings
from sandboxd.status.verification import verification
from sandboxd.verify import last_verdict
from sandboxd.verify.last_verdict import Verified, age_seconds, duration
from sandboxd.verify.proof import with_proof


class GrantedPlan(NamedTuple):
    """The plan with what the user granted for the start of one container, whose id it is."""

    container: str
    request: Container
    downgrades: tuple[str, ...]


class Examined(NamedTuple):
    """The result of a look at a project's files.

    `valid` is False when its config cannot be used. `request` is the container that the engine
    would be asked for; None when there is no plan, for that reason or because the host cannot
    do what is asked: `problem` and `hint` say why.
    """

    exists: bool = True
    valid: bool = True
    profile: str | None = None
    request: Container | None = None
    downgrades: tuple[str, ...] = ()
    counts: Counts | None = None
    stale: bool = False
    """The generated files are not what the config comes to."""
    problem: str = ""
    hint: str = ""
    trust: Trust | None = None
    granted: GrantedPlan | None = None


def combine(path: str, examined: Examined, observed: Observed = NOT_ASKED) -> ProjectStatus:
    """The row of one project."""
    seen = observed.containers.get(path)
    examined = _as_started(examined, seen)
    drift = _drift(examined.request, seen.container if seen is not None else None)
    kept = last_verdict.recall(seen.id) if seen is not None and seen.container else None
    verified = verification(seen, drift, kept)
    status = ProjectStatus(
        path=path,
        state=state(path, examined.exists, examined.valid, observed),
        profile=examined.profile,
        asked=settings(examined.request) if examined.request is not None else None,
        in_force=_in_force(seen, verified, kept),
        unseen=observed.problem or (seen.problem if seen is not None else ""),
        drift=drift,
        verified=verified,
        downgrades=examined.downgrades,
        counts=examined.counts,
        problem=examined.problem,
        trust=examined.trust,
    )
    return status._replace(hint=_hint(status, examined, observed, seen))


def _as_started(examined: Examined, seen: Seen | None) -> Examined:
    """With the grants of the start, where the container is still the one that was started so."""
    granted = examined.granted
    if granted is None or seen is None or seen.id != granted.container:
        return examined
    return examined._replace(
        request=granted.request, downgrades=granted.downgrades, problem="", hint="", valid=True
    )


def _in_force(
    seen: Seen | None, verified: Verification | None, kept: Verified | None
) -> InForce | None:
    if seen is None or seen.container is None:
        return None
    controls = seen.controls
    if kept is not None and verified is not None and verified.state != "void":
        controls = with_proof(controls, kept.outcomes, duration(age_seconds(kept.when)))
    return InForce(settings(seen.container), controls)


def state(path: str, exists: bool, is_valid: bool, observed: Observed) -> State:
    """How the project in the folder `path` is."""
    if not exists:
        return "missing"
    if not is_valid:
        return "invalid config"
    if observed.problem:
        return "unknown"
    seen = observed.containers.get(path)
    if seen is None:
        return "not created"
    if seen.paused:
        return "paused"
    return "running" if seen.running else "stopped"


def _drift(request: Container | None, live: Container | None) -> tuple[str, ...] | None:
    if request is None or live is None:
        return None
    return tuple(
        f"{item.control}: planned {item.planned or 'nothing'}, found {item.live or 'nothing'}"
        for item in differences(request, live)
    )


def _hint(status: ProjectStatus, examined: Examined, observed: Observed, seen: Seen | None) -> str:
    import shlex

    if status.state == "missing":
        return f"`sandboxd daemon forget {shlex.quote(status.path)}`, or wait a day"
    if examined.trust in ("none", "outdated") and "sandboxd trust add" in examined.hint:
        return "`sandboxd trust add` shows what it takes away, and grants it"
    if examined.problem:
        return examined.hint or f"`sandboxd check {shlex.quote(status.path)}`"
    if status.state == "unknown":
        return observed.hint
    if seen is not None and seen.problem:
        return seen.hint
    if status.state == "paused":
        return "`docker unpause` lets it go on; `sandboxd down` keeps its work and ends it"
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
