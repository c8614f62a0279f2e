"""The project whose names are decided about, and what holds for it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.policy import Policy
    from sandboxd.operations.egress.gateways import FindGateway, Gateway
    from sandboxd.policy.floor import Floor
    from sandboxd.project import Project


class Scene(NamedTuple):
    """What is known of a project before anything is answered. `workspace` is its real path."""

    workspace: str
    project: Project
    planned: Policy
    """The policy of the plan, without approvals."""
    floor: Floor
    problem: str
    """Why names of the sandboxd.toml do not count, '' where all do."""


def scene(directory: str, environ: Mapping[str, str]) -> Scene:
    """The project that `directory` lies in.

    :raises UsageError: its config is not valid, or it has no gateway at all
    """
    from sandboxd.policy import floor
    from sandboxd.project import Project

    project = Project.open(project_folder(directory), environ)
    demands = floor.load(environ)
    network = project.network(demands)
    if network.policy is None:
        raise _no_gateway(project.workspace, network.mode)
    return Scene(project.workspace, project, network.policy, demands, network.problem)


def policy(scene: Scene, environ: Mapping[str, str], now: float) -> Policy:
    """The policy in force, with the approvals."""
    from sandboxd.policy import approvals

    return approvals.in_force(environ, scene.workspace, scene.planned, scene.floor, now)


def running(
    scene: Scene, environ: Mapping[str, str], find: FindGateway
) -> tuple[Gateway | None, str]:
    """The gateway that runs, and why it cannot be asked: a person's answer is kept all the same.

    Approvals that it has used up are taken away, where no daemon listened.
    """
    from sandboxd.policy import approvals

    try:
        gateway = find(scene.workspace)
        uses = gateway.ledger().uses if gateway is not None else ()
    except EnvironmentFailure as error:
        return None, error.message
    for use in uses:
        approvals.use_up(environ, scene.workspace, *use)
    return gateway, ""


def push(gateway: Gateway | None, scene: Scene, environ: Mapping[str, str], now: float) -> bool:
    """Give the running gateway the policy in force; False if none runs."""
    if gateway is None:
        return False
    gateway.push(policy(scene, environ, now))
    return True


def _no_gateway(workspace: str, mode: str) -> UsageError:
    if mode == "none":
        return UsageError(
            f"`{workspace}` has no network, so there is no name to decide about",
            'set `[network] mode = "allow"` in sandboxd.toml, then `sandboxd trust add`; '
            "`sandboxd policy explain` shows what a policy takes away",
        )
    return UsageError(
        f"`{workspace}` has an open network: every name can be reached, and nothing is recorded",
        'set `[network] mode = "allow"` in sandboxd.toml',
    )
