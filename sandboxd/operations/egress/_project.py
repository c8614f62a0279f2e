"""The project whose names are decided about, and what holds for it now."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.config.model import Config
    from sandboxd.egress.approvals import Limits
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.egress.gateways import FindGateway, Gateway
    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project


class ProjectWithGateway(NamedTuple):
    """A project whose sandbox reaches names, before any answers. `workspace` is its real path."""

    workspace: str
    config: Config
    planned: Policy
    """Without the answers of a person."""
    policy: Policy
    """With those that hold now."""
    limits: Limits
    """The bounds of the policy to what a person may allow."""
    problem: str
    """The reason why names of the sandboxd.toml do not count, '' where all do."""


def open_project(
    directory: str, environ: Mapping[str, str], now: float, name: str = ""
) -> ProjectWithGateway:
    """The project that `directory` lies in.

    :param now: seconds since the epoch
    :param name: of the sandbox whose names are meant: an agent's session has its own
    :raises UsageError: its config is not valid, or it has no gateway at all
    """
    project, rights = open_rights(directory, environ, now, name)
    if rights.planned is None or rights.gateway is None:
        raise no_gateway(project.workspace, rights.mode)
    policy = rights.gateway.policy
    return ProjectWithGateway(
        project.workspace, project.config, rights.planned, policy, rights.limits, rights.problem
    )


def open_rights(
    directory: str, environ: Mapping[str, str], now: float, name: str = ""
) -> tuple[Project, Rights]:
    """The project as `open_project` finds it, also without a gateway, and what its sandbox may have at `now`.

    :raises UsageError: its config is not valid
    """
    from sandboxd.project import Project
    from sandboxd.project.rights import rights_now

    project = Project.open(project_folder(directory), environ, name)
    return project, rights_now(project, "", now)


def running(
    project: ProjectWithGateway, environ: Mapping[str, str], find: FindGateway
) -> tuple[Gateway | None, str]:
    """The running gateway, or why it cannot be asked; an answer is kept in either case.

    Approvals that it, or one beside it, has used up are removed here if no daemon listened.
    """
    try:
        gateway = find(project.workspace)
        if gateway is None:
            return None, ""
        _take_back_used(gateway, project.workspace, environ)
    except EnvironmentFailure as error:
        return None, error.message
    return gateway, ""


def _take_back_used(gateway: Gateway, workspace: str, environ: Mapping[str, str]) -> None:
    """Remove the approvals for one connection that were used in any sandbox of the project.

    :raises EnvironmentFailure: the gateway that is meant cannot be asked
    """
    from sandboxd.operations.egress.gateways import each_of
    from sandboxd.policy import approvals

    meant, *others = each_of(gateway)
    uses = list(meant.ledger().uses)
    for other in others:
        # An answer has to reach the gateway that is meant; to push it to this one fails as well, and says so.
        with contextlib.suppress(EnvironmentFailure):
            uses += other.ledger().uses
    for use in uses:
        approvals.use_up(environ, workspace, *use)


def follow(gateway: Gateway | None) -> bool:
    """Have the running gateway enforce what holds now; False if none runs."""
    if gateway is None:
        return False
    gateway.follow()
    return True


def no_gateway(workspace: str, mode: str) -> UsageError:
    """The refusal of a project whose network has the mode ``none`` or ``open``."""
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
