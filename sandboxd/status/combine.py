"""A project's files and the engine's answer, put together. Pure."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.status.controls import controls
from sandboxd.status.model import Counts, ProjectStatus, State
from sandboxd.status.observe import NOT_ASKED, Observed


class Examined(NamedTuple):
    """What a project's files come to.

    `valid` is False when its config cannot be used; `asked` is None when there is no plan, for
    that reason or because the host cannot do what is asked: `problem` and `hint` say why.
    """

    exists: bool = True
    valid: bool = True
    profile: str | None = None
    asked: dict[str, str] | None = None
    downgrades: tuple[str, ...] = ()
    counts: Counts | None = None
    stale: bool = False
    """The generated files are not what the config comes to."""
    problem: str = ""
    hint: str = ""


def combine(path: str, examined: Examined, observed: Observed = NOT_ASKED) -> ProjectStatus:
    """The row of one project."""
    seen = observed.containers.get(path)
    in_force = controls(seen.container) if seen is not None and seen.container else None
    status = ProjectStatus(
        path=path,
        state=_state(examined, observed, path),
        profile=examined.profile,
        asked=examined.asked,
        in_force=in_force,
        drift=_drift(examined.asked, in_force),
        downgrades=examined.downgrades,
        counts=examined.counts,
        problem=examined.problem,
    )
    return status._replace(hint=_hint(status, examined, observed))


def _state(examined: Examined, observed: Observed, path: str) -> State:
    if not examined.exists:
        return "missing"
    if not examined.valid:
        return "invalid config"
    if observed.problem:
        return "unknown"
    seen = observed.containers.get(path)
    if seen is None:
        return "not created"
    return "running" if seen.running else "stopped"


def _drift(asked: dict[str, str] | None, in_force: dict[str, str] | None) -> tuple[str, ...]:
    if asked is None or in_force is None:
        return ()
    return tuple(
        f"{name}: asked `{value}`, in force `{in_force[name]}`"
        for name, value in asked.items()
        if name in in_force and in_force[name] != value
    )


def _hint(status: ProjectStatus, examined: Examined, observed: Observed) -> str:
    if status.state == "missing":
        return ""
    if examined.problem:
        return examined.hint or f"`sandboxd check {status.path}`"
    if status.state == "unknown":
        return observed.hint
    if examined.stale:
        return "`sandboxd generate` writes what the config asks for"
    if status.state in ("not created", "stopped"):
        return "`sandboxd up` starts the sandbox"
    if status.drift:
        return "`sandboxd up` makes the container what was asked for"
    return "`sandboxd verify` tries to escape from it"
