"""The names that a project's policy allows now, and the source of each; every caller gets the same answer.

A start has the same policy in its plan (`Plan.egress`), and adds a person's answers to it by
`policy.approvals.in_force`, as this does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.policy import approvals
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from sandboxd.egress.policy import Policy
    from sandboxd.plan.planner import Source
    from sandboxd.policy.floor import Floor
    from sandboxd.project import Project


class AllowedNames(NamedTuple):
    """The names of one project at one moment."""

    mode: str
    """``none``, ``allow`` or ``open``."""
    source: Source
    problem: str
    """The reason why what sandboxd.toml says of the network does not count, '' where it does."""
    floor: Floor
    """The policies of organisation and user that were applied."""
    planned: Policy | None
    """Without the answers of a person; None where the project has no gateway."""
    policy: Policy | None
    """With the answers that hold now: what a gateway is to have, but for the user's login at a proxy."""


def names_now(project: Project, now: float) -> AllowedNames:
    """The names that the policy of `project` allows at `now`. Neither host nor engine is looked at.

    Where floor or trust refuse the network that sandboxd.toml asks for, no more than the profile's own names are
    allowed, and `problem` says so: a file that nobody agreed to opens nothing, and what it takes away counts.

    :param now: seconds since the epoch
    :raises UsageError: floor or trust refuse a part of the config that is not about the network, or
        the approvals cannot be read
    """
    floor = in_force(project.environ)
    network = project.network(floor)
    policy = network.policy
    if policy is not None:
        policy = approvals.in_force(project.environ, project.workspace, policy, floor, now)
    return AllowedNames(
        network.mode, network.source, network.problem, floor, network.policy, policy
    )
