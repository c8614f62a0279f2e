"""A start of a project's container: what its steps share, and what it ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine
    from sandboxd.life.egress import Egress
    from sandboxd.life.service_start import Sick
    from sandboxd.plan.plan import Downgrade, Plan

How = Literal["created", "recreated", "restarted", "resumed", "already running"]


class Start(NamedTuple):
    """One start, under the project's lock."""

    engine: Engine
    plan: Plan
    beside: Egress | None
    """The gateway, None where the plan has none."""
    identity: Mapping[str, str]
    """Labels by which a container is of this plan and its image of now."""
    progress: Callable[[str], None]
    check: Callable[[], None]
    """Ends it by raising."""


class Running(NamedTuple):
    """A project's running container, and what `up` had to do for it."""

    id: str
    name: str
    how: How
    inspected: Inspected
    """As the engine described it once it ran: whoever needs to know more of it needs no other look."""
    lost: tuple[Downgrade, ...] = ()
    """Parts that this host's settings take from it."""
    sick: tuple[Sick, ...] = ()
    """Other services of its project that do not run as others need them."""
    stand_ins: tuple[str, ...] = ()
    """Files and folders that were made in the workspace for it now."""
