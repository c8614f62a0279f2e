"""The project for whose sandbox names are allowed or denied, and the policy that holds for it now."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.given_records import folder_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.config.model import Config
    from sandboxd.egress.approvals import Limits
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.egress.gateways import FindGateway, Gateway
    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project


class ProjectWithGateway(NamedTuple):
    """A project whose sandbox reaches host names through a gateway. `workspace` is its real path."""

    workspace: str
    config: Config
    planned: Policy
    """The policy of the plan, without the user's answers about names."""
    policy: Policy
    """The same with the user's answers that hold now."""
    limits: Limits
    """What the organisation's policy lets a user allow."""
    problem: str
    """The reason why names in sandboxd.toml are not in force; '' if all are."""


def open_project(
    directory: str, environ: Mapping[str, str], now: float, name: str = ""
) -> ProjectWithGateway:
    """The project that `directory` lies in, whose network must have a gateway.

    :param now: seconds since 1970
    :param name: the name of the sandbox whose names are meant, since an agent's session has its own; '' for the unnamed
        one
    :raises UsageError: its config is not valid, or its network has no gateway
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
    """The project that `directory` lies in, with or without a gateway, and what its sandbox may have at `now`.

    :param now: seconds since 1970
    :param name: the sandbox's name; '' for the unnamed one
    :raises UsageError: its config is not valid
    """
    from sandboxd.project import Project
    from sandboxd.project.rights import rights_now

    project = Project.open(folder_of(directory, environ), environ, name)
    return project, rights_now(project, "", now)


def running(
    project: ProjectWithGateway, environ: Mapping[str, str], find: FindGateway
) -> tuple[Gateway | None, str]:
    """As `find_gateway`, with `note_used`: the reason also says that the gateway does not tell what was used."""
    gateway, unasked = find_gateway(project.workspace, find)
    if gateway is not None:
        try:
            note_used(gateway, project.workspace, environ)
        except EnvironmentFailure as error:
            return None, error.message
    return gateway, unasked


def find_gateway(workspace: str, find: FindGateway) -> tuple[Gateway | None, str]:
    """A project's running gateway (None without one), and the reason why it cannot be asked ('' if it can)."""
    try:
        return find(workspace), ""
    except EnvironmentFailure as error:
        return None, error.message


def note_used(gateway: Gateway, workspace: str, environ: Mapping[str, str]) -> bool:
    """Note which approvals for one connection were used in any sandbox of the project: a daemon may not have done so.

    :returns: whether there was one
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
    return approvals.use_up(environ, workspace, uses)


def follow(gateway: Gateway | None) -> tuple[str, ...]:
    """Make the running gateways enforce the rights that hold now; return the names of their sandboxes.

    :returns: () if `gateway` is None
    """
    from sandboxd.operations.egress.gateways import names_of

    if gateway is None:
        return ()
    gateway.follow()
    return names_of(gateway)


def no_gateway(workspace: str, mode: str) -> UsageError:
    """The error for a project whose network has the mode ``none`` or ``open`` and so no gateway."""
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
