"""Determines what a sandbox may have now: the only place that combines config, grants, policies, answers, records and
login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.agents.session import recall
from sandboxd.egress.approvals import Limits
from sandboxd.egress.policy import Policy
from sandboxd.errors import UsageError
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.policy import approvals, floor, proxy_credentials, trust
from sandboxd.policy.gateway_rights import is_covered
from sandboxd.policy.in_force import in_force
from sandboxd.policy.rights import (
    Asked,
    Login,
    Recorded,
    Rights,
    Target,
    rights,
)
from sandboxd.project.credential_rights import accounts_now, recorded_of, recorded_of_last
from sandboxd.state import given_rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.credentials.uses import Use
    from sandboxd.model.remote import Port
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.planner import Network
    from sandboxd.policy.floor import Floor
    from sandboxd.project import Project
    from sandboxd.state.given_rights import GivenRights


def rights_now(
    project: Project, container: str, now: float, ports: tuple[Port, ...] = ()
) -> Rights:
    """The rights of the sandbox in `container` now, by `rights_by` with the stored record of what it was given."""
    record = given_rights.recall(project.environ, project.sandbox, container)
    return rights_by(project, container, now, record, ports)


def rights_by(
    project: Project,
    container: str,
    now: float,
    record: GivenRights | None,
    ports: tuple[Port, ...] = (),
) -> Rights:
    """The present rights of the sandbox of `project`. Neither host nor engine is asked.

    If policy minimum or grant refuse what sandboxd.toml asks for, at most the profile's own names are allowed, and
    `problem` says so. What the file takes away applies in any case.

    :param container: the id of its container; '' for none
    :param now: seconds since 1970
    :param record: what `given_rights.recall` returned for the container
    :param ports: the ports that the project's plan wants forwarded to this machine; the plan depends on the host
    :raises UsageError: policy, grants, answers or a hand-written config cannot be read
    """
    demands = in_force(project.environ)
    network = project.network(demands)
    asked = Asked(
        network.mode,
        network.policy,
        network.source,
        network.is_granted,
        network.problem,
        _most(project, _of_container(record, container), demands),
        accounts_now(project.environ, record, container),
    )
    target = Target(project.sandbox, container)
    environ, workspace = project.environ, project.workspace
    login = _login(asked, workspace, environ)
    recorded = recorded_of(network.uses, environ)
    return _rights(environ, workspace, target, asked, recorded, demands, login, now, ports)


def no_rights(sandbox: str, container: str) -> Rights:
    """The rights of a sandbox that does not run, or whose rights cannot be determined: none."""
    asked = Asked("none", None)
    return rights(Target(sandbox, container), asked, Limits(), (), Recorded(), Login(), 0.0)


def rights_of_unread(
    sandbox: str,
    container: str,
    environ: Mapping[str, str],
    now: float,
    problem: str,
    record: GivenRights | None,
    project: Project | None = None,
) -> Rights | None:
    """The rights of a running sandbox whose config cannot be read, or waits for the next start: those by its last
    content, without what policy, grants, records and answers have revoked since.

    :param problem: why the config does not count
    :param record: as in `rights_by`
    :param project: where sandboxd.toml itself can be read, and a file of Compose cannot, say: what it takes away by
        itself counts. None: it cannot be read either
    :returns: None if it is not known what the sandbox was given; no rights if that was given to another container
    :raises UsageError: policy, grants or answers cannot be read either
    """
    given = _of_container(record, container)
    if given is None:
        return no_rights(sandbox, container) if record is not None else None
    demands = in_force(environ)
    own = _of_config(project, demands) if project is not None else None
    is_none = demands.no_network or (own is not None and own.mode == "none")
    if own is not None and project is not None:
        # It is by the grants of now, whichever content was granted before.
        most = (
            _without_uses(given.most, project)
            if own.policy is None
            else _common(given.most, own.policy)
        )
        given = given._replace(most=most, is_granted=False)
    asked = Asked(
        "none" if is_none else "allow",
        None if is_none else _of_last(given, sandbox, environ, demands),
        "sandboxd.toml",
        own.is_granted if own is not None else given.is_granted,
        problem,
        given.most,
        accounts_now(environ, record, container),
    )
    target, workspace = Target(sandbox, container), workspace_of(sandbox)
    login = _login(asked, workspace, environ)
    recorded = recorded_of_last(given, demands, asked.accounts, environ)
    return _rights(environ, workspace, target, asked, recorded, demands, login, now)


def rights_of_unreadable(
    sandbox: str,
    container: str,
    environ: Mapping[str, str],
    problem: str,
    record: GivenRights | None,
) -> Rights:
    """The rights of one that runs where what says them could not be read for too long, or its folder is gone: none.

    :param problem: why they cannot be read
    :param record: as in `rights_by`
    """
    # The gateway still has the secrets of these.
    accounts = accounts_now(environ, record, container)
    asked = Asked("none", None, problem=problem, accounts=accounts)
    return rights(Target(sandbox, container), asked, Limits(), (), Recorded(), Login(), 0.0)


def rights_of_plan(plan: Plan, environ: Mapping[str, str], now: float) -> Rights:
    """The rights of a sandbox that is about to start with `plan`.

    To be called directly before a gateway gets them, as an answer can be withdrawn while an image is built.

    :param now: seconds since 1970
    :raises UsageError: the policy, the answers or the login at the proxy cannot be read
    """
    # Of a sandbox without a gateway nothing is let through, or all of it and not by us.
    asked = Asked("allow" if plan.egress is not None else "open", plan.egress)
    demands = in_force(environ)
    target = Target(plan.sandbox)
    login = _read_login(asked, plan.workspace, environ)
    recorded = recorded_of(plan.credentials, environ)
    return _rights(environ, plan.workspace, target, asked, recorded, demands, login, now)


def rights_of_policy(
    planned: Policy,
    uses: Iterable[Use],
    workspace: str,
    environ: Mapping[str, str],
    now: float,
    digest: str,
    is_granted: bool,
) -> Rights:
    """The rights of a project's sandbox by an existing policy, for display only: no file of the project is read.

    :param planned: the policy of the plan
    :param uses: the credentials of the plan
    :param digest: the digest of the config of that plan
    :param is_granted: whether the user trusts that content
    :raises UsageError: the policy or the answers cannot be read
    """
    given, demands = given_rights.recall(environ, workspace), in_force(environ)
    is_granted = is_granted and not demands.no_trust
    is_own = given is None or given.grantee in ("", workspace)
    is_free = is_own and (given is None or is_granted or digest == given.digest)
    asked = Asked(
        "allow",
        planned,
        is_granted=is_granted,
        most=None if given is None or is_free else given.most,
        accounts=accounts_now(environ, given, ""),
    )
    login = _login(asked, workspace, environ)
    target, recorded = Target(workspace), recorded_of(uses, environ)
    return _rights(environ, workspace, target, asked, recorded, demands, login, now)


def rights_of_program(
    policy: Policy, folder: str, environ: Mapping[str, str], now: float
) -> Rights:
    """The rights of the sandbox that fetches an agent's program: those of `policy`, without any answers of the user.

    :param folder: in place of a project's
    :raises UsageError: the policy minimum or the login at the proxy cannot be read
    """
    asked, demands = Asked("allow", policy), in_force(environ)
    login = _read_login(asked, folder, environ)
    return _rights(environ, folder, Target(folder), asked, Recorded(), demands, login, now)


def _most(project: Project, given: GivenRights | None, demands: Floor) -> Policy | None:
    """The most that a sandbox may reach after an edit of its config without the user's agreement; None without one."""
    digest = project.config.digest
    if given is not None and given.grantee not in ("", project.grantee):
        # Its record cannot be read, or its session is gone: another config was agreed to.
        return given.most
    if given is None or digest == given.digest:
        return None
    is_granted = not demands.no_trust and trust.is_granted(
        project.environ, project.grantee, digest, project.profile.name
    )
    return None if is_granted else given.most


def _of_container(record: GivenRights | None, container: str) -> GivenRights | None:
    """`record` if it is of `container`, or that is ''; what any other one was given counts for nothing."""
    return None if record is None or (container and record.container != container) else record


def _of_last(
    given: GivenRights, sandbox: str, environ: Mapping[str, str], demands: Floor
) -> Policy:
    """The network policy of the last sandboxd.toml that could be read, less what policy and grants no longer allow."""
    last, most = given.gateway or Policy(), given.most
    if given.is_granted and not is_granted_still(given, sandbox, environ, demands):
        most = Policy()
    lists = [
        [rule for each in held for rule in each.rules("floor")] for held in demands.network_allow
    ]
    rules = tuple(
        rule
        for rule in most.rules
        if not (rule.private and demands.no_private)
        and all(is_covered(rule._replace(private=False), held) for held in lists)
    )
    return last._replace(
        version=0,
        rules=rules,
        denied=tuple(demands.network_deny),
        addresses=(),
        forbidden=(),
        upstream=demands.network_proxy,
        credentials=most.credentials,
    )


def _of_config(project: Project, demands: Floor) -> Network | None:
    """The network by sandboxd.toml alone; None where the grants cannot be read, on which it depends."""
    try:
        return project.network_of_config(demands)
    except UsageError:
        return None


def _common(most: Policy, own: Policy) -> Policy:
    """The rules and credentials of `most` that `own` has, too."""
    return most._replace(
        rules=tuple(rule for rule in most.rules if is_covered(rule, own.rules)),
        credentials=tuple(door for door in most.credentials if door in own.credentials),
    )


def _without_uses(most: Policy, project: Project) -> Policy:
    """`most` without the credentials that a file whose network is to be open does not name any more."""
    from sandboxd.credentials.uses import assign

    named = assign(project.config.credentials.names(), ())
    labels = {door.label for use in named for door in use.doors}
    return most._replace(credentials=tuple(door for door in most.credentials if door[0] in labels))


def is_granted_still(
    given: GivenRights, sandbox: str, environ: Mapping[str, str], demands: Floor
) -> bool:
    """Whether the grant by which the sandbox was given something is in force.

    :raises UsageError: the grants cannot be read
    """
    folder = given.grantee
    if not folder:
        session = recall(environ, workspace_of(sandbox), name_of(sandbox))
        folder = session.folder if session is not None else workspace_of(sandbox)
    grants = trust.grants(environ)
    return not demands.no_trust and any(
        (each.workspace, each.digest) == (folder, given.digest) for each in grants
    )


def why_not_open(given: GivenRights | None, sandbox: str, environ: Mapping[str, str]) -> str:
    """Why the open network that a sandbox was started with is not to be open any more, or nobody can tell; '' where it
    may be, or the sandbox has none.
    """
    from sandboxd.project.of_sandbox import of_sandbox

    if given is None or not given.is_open:
        return ""
    try:
        demands = in_force(environ)
        if demands.no_network or demands.no_open_network:
            return "the policy allows none"
        if not given.is_granted or is_granted_still(given, sandbox, environ, demands):
            return ""
        # The user may have agreed to another content since, which asks for one, too.
        is_asked = of_sandbox(sandbox, environ).network(demands).mode == "open"
    except UsageError as error:
        return error.message
    return "" if is_asked else "the file that asked for it is not trusted any more"


def _rights(
    environ: Mapping[str, str],
    workspace: str,
    target: Target,
    asked: Asked,
    recorded: Recorded,
    demands: Floor,
    login: Login,
    now: float,
    ports: tuple[Port, ...] = (),
) -> Rights:
    has_gateway = asked.policy is not None
    # Of those that are used up one connection may be open, also when the gateway is told what else has changed.
    used = target.container != ""
    answers = approvals.of_project(environ, workspace, now, with_used=used) if has_gateway else ()
    limits = approvals.limits(demands)
    return rights(target, asked, limits, answers, recorded, login, now, ports)


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
