"""The data that the steps of a start share, and the result of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.life.egress import Egress
    from sandboxd.life.service_start import Sick
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.reasons import Downgrade

How = Literal["created", "recreated", "restarted", "resumed", "already running"]


class Start(NamedTuple):
    """One start of a sandbox; the project's lock is held."""

    engine: Engine
    plan: Plan
    beside: Egress | None
    """The gateway's networks, image and rights; None if the plan has no gateway."""
    identity: Mapping[str, str]
    """Labels that the container must have to count as made from this plan and from the image as it is now."""
    progress: Callable[[str], None]
    check: Callable[[], None]
    """Called between steps; ends the start by raising."""
    allowed: Callable[[], None] = lambda: None
    """Called directly before a program of the container runs; raises if the user does not allow the plan any more."""


class Running(NamedTuple):
    """The running container of a sandbox, and how `up` brought it to run."""

    id: str
    name: str
    how: How
    inspected: Inspected
    """The engine's description of it, taken after it started."""
    lost: tuple[Downgrade, ...] = ()
    """Controls that are not in force because of this host's settings."""
    sick: tuple[Sick, ...] = ()
    """Other services of the project that did not start or are not in the state that others wait for."""
    stand_ins: tuple[str, ...] = ()
    """Placeholder files and folders that this start made in the workspace."""
