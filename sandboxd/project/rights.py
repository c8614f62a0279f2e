"""Reads what a sandbox may have now: the one place that gathers config, grants, policies, answers, records and login."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.egress.approvals import Limits
from sandboxd.errors import UsageError
from sandboxd.host import given_rights
from sandboxd.policy import approvals, floor, proxy_credentials, trust
from sandboxd.policy.in_force import in_force
from sandboxd.policy.rights import Asked, CredentialRight, Login, Rights, Target, rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.credentials.uses import Use
    from sandboxd.egress.policy import Policy
    from sandboxd.model.remote import Port
    from sandboxd.plan.plan import Plan
    from sandboxd.policy.floor import Floor
    from sandboxd.project import Project


def rights_now(
    project: Project, container: str, now: float, ports: tuple[Port, ...] = ()
) -> Rights:
    """The rights of the sandbox of `project` at `now`. Neither host nor engine is looked at.

    Where floor or trust refuse the network that sandboxd.toml asks for, no more than the profile's own names are
    allowed, and `problem` says so: a file that nobody agreed to opens nothing, and what it takes away counts.

    :param container: the id of its container; '' where none is meant
    :param now: seconds since the epoch
    :param ports: those that the plan of the project has for this machine, which depends on the host
    :raises UsageError: floor or trust refuse a part of the config that is not about the network, or
        the approvals cannot be read
    """
    demands = in_force(project.environ)
    network = project.network(demands)
    asked = Asked(
        network.mode,
        network.policy,
        network.source,
        network.is_granted,
        network.problem,
        _most(project, container, demands),
    )
    target = Target(project.sandbox, container)
    environ, workspace = project.environ, project.workspace
    login = _login(asked, workspace, environ)
    return _rights(environ, workspace, target, asked, network.uses, demands, login, now, ports)


def no_rights(sandbox: str, container: str) -> Rights:
    """The rights of a sandbox that does not run, or of which nobody can say what it may have: nothing."""
    asked = Asked("none", None)
    return rights(Target(sandbox, container), asked, Limits(), (), (), Login(), 0.0)


def rights_of_plan(plan: Plan, environ: Mapping[str, str], now: float) -> Rights:
    """The rights of a sandbox that is to be started as planned, which was read from the same files.

    To be called right before a gateway gets them: an answer may be taken back while an image is built.

    :raises UsageError: the policy, the approvals or the login at the proxy cannot be read
    """
    # Of a sandbox without a gateway nothing is let through, or all of it and not by us.
    asked = Asked("allow" if plan.egress is not None else "open", plan.egress)
    demands = in_force(environ)
    target = Target(plan.sandbox)
    login = _read_login(asked, plan.workspace, environ)
    return _rights(environ, plan.workspace, target, asked, plan.credentials, demands, login, now)


def rights_of_policy(
    planned: Policy, uses: Iterable[Use], workspace: str, environ: Mapping[str, str], now: float
) -> Rights:
    """The rights of the sandbox of a project that was planned a moment ago, to be shown: for each row of a status the
    files of its project would be read again.

    :raises UsageError: the policy or the approvals cannot be read
    """
    asked, demands = Asked("allow", planned), floor.load(environ)
    login = _login(asked, workspace, environ)
    return _rights(environ, workspace, Target(workspace), asked, uses, demands, login, now)


def rights_of_program(
    policy: Policy, folder: str, environ: Mapping[str, str], now: float
) -> Rights:
    """The rights of the sandbox that fetches a program for the user: of `policy` alone, and no answer is about it.

    :param folder: stands for the project
    :raises UsageError: the policy minimum or the login at the proxy cannot be read
    """
    asked, demands = Asked("allow", policy), in_force(environ)
    login = _read_login(asked, folder, environ)
    return _rights(environ, folder, Target(folder), asked, (), demands, login, now)


def _most(project: Project, container: str, demands: Floor) -> Policy | None:
    """What bounds a sandbox whose sandboxd.toml was edited since its start, and nobody agreed to that; None without."""
    given = given_rights.recall(project.environ, project.sandbox)
    if given is None or (container and given.container != container):
        return None
    digest = project.config.digest
    if digest == given.digest:
        return None
    is_granted = not demands.no_trust and trust.is_granted(
        project.environ, project.grantee, digest, project.profile.name
    )
    return None if is_granted else given.most


def _rights(
    environ: Mapping[str, str],
    workspace: str,
    target: Target,
    asked: Asked,
    uses: Iterable[Use],
    demands: Floor,
    login: Login,
    now: float,
    ports: tuple[Port, ...] = (),
) -> Rights:
    has_gateway = asked.policy is not None
    answers = approvals.of_project(environ, workspace, now) if has_gateway else ()
    credentials = _credentials(uses, environ)
    limits = approvals.limits(demands)
    return rights(target, asked, limits, answers, credentials, login, now, ports)


def _login(asked: Asked, workspace: str, environ: Mapping[str, str]) -> Login:
    """The login at the proxy of a sandbox that runs, or why without it.

    Whatever else the policy says is in force all the same: a file of the login that nobody may read loosens nothing.
    """
    try:
        return _read_login(asked, workspace, environ)
    except UsageError as error:
        return Login(problem=error.message)


def _read_login(asked: Asked, workspace: str, environ: Mapping[str, str]) -> Login:
    """The login at the proxy that `asked` names; none without a proxy.

    :raises UsageError: its file cannot be read, or others can read it
    """
    if asked.policy is None or asked.policy.upstream is None:
        return Login()
    return Login(proxy_credentials.read(floor.user_folder(environ), workspace))


def _credentials(uses: Iterable[Use], environ: Mapping[str, str]) -> tuple[CredentialRight, ...]:
    """Those of `uses` that the user has a record of; none where the records cannot be read."""
    uses = tuple(uses)
    if not uses:
        return ()
    # Late: most sandboxes use none.
    from sandboxd.credentials import records
    from sandboxd.credentials.resolve import record_of
    from sandboxd.credentials.sources import NoSecret

    try:
        listed = records.load(environ)
    except UsageError:
        # `sandboxd credentials list` says why; what cannot be looked up is not given.
        return ()
    credentials = []
    for use in uses:
        with contextlib.suppress(NoSecret):
            record = record_of(listed, use.name)
            place = record.place if use.service.uses_agent else ()
            doors = tuple((door.label, door.port) for door in use.doors)
            credentials.append(CredentialRight(str(use.name), doors, place))
    return tuple(credentials)
