"""Keep the gateway of a running sandbox up to date with the policy, and restart it when it died."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.policy import Policy
from sandboxd.errors import UsageError
from sandboxd.host import chosen_groups
from sandboxd.model.labels import EGRESS, MADE_BY, UP
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.operations import _groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.project.names import AllowedNames


_LIVE = ("running", "paused")


class Refreshed(NamedTuple):
    """The policy that the gateway has after `refresh`."""

    version: int
    problem: str
    """The reason why names of sandboxd.toml are not in it, '' where all are."""
    no_login: str = ""
    """The reason why the user's login at the proxy is not in it, '' where it is, or there is none."""


def refresh(
    engine: Engine,
    sandbox: str,
    environ: Mapping[str, str],
    *,
    addresses: Iterable[tuple[str, str]] = (),
    version: int = 0,
) -> Refreshed | None:
    """Send the running gateway of a sandbox the policy that applies now, unless it has it.

    Connections that the policy does not allow end. Of a project that is to have no network any more it lets nothing
    through; `up` takes the network away.

    :param addresses: earlier names and synthetic addresses, which keep their meaning
    :param version: of the policy that the gateway has, 0 for none
    :returns: None where no sandbox with a gateway runs, or the network is to be open, which `up` makes so
    :raises UsageError: the config is not valid; the gateway stays as it is
    :raises EnvironmentFailure: the gateway does not take it
    """
    from sandboxd.life import gateway, networks

    if _sandbox(engine, sandbox) is None:
        return None
    names = _names(sandbox, environ)
    wanted = Policy() if names.mode == "none" else names.policy
    pair = networks.pair_of(engine, sandbox) if wanted is not None else None
    if wanted is None or pair is None:
        return None
    whole, no_login = _with_login(wanted, sandbox, environ)
    policy = gateway.complete(engine, pair, whole, addresses)
    if policy.version != version:
        gateway.push(engine, sandbox, policy, cut=True)
    return Refreshed(policy.version, names.problem, no_login)


def mend(
    engine: Engine,
    sandbox: str,
    environ: Mapping[str, str],
    *,
    addresses: Iterable[tuple[str, str]] = (),
    credentials: Credentials | None = None,
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Restart the gateway of a running sandbox; False where no such sandbox runs.

    :param credentials: those of the last start, where they are known; for a sandbox of another start none count
    :param check: called while a start or an end of the project is waited for; ends it by raising
    :raises UsageError: the config is not valid, so there is no policy
    :raises EnvironmentFailure: the gateway cannot be run, or does not hold
    """
    from sandboxd.life import egress
    from sandboxd.life.lock import project_lock
    from sandboxd.project import Project

    with project_lock(sandbox, _quiet, check):
        if _sandbox(engine, sandbox) is None:
            return False
        if not may_have_secrets(engine, sandbox):
            credentials = None
        # An editor's container has its first gateway by this.
        _groups.keep(environ, Project.open(workspace_of(sandbox), environ, name_of(sandbox)))
        names = _names(sandbox, environ)
        if names.policy is None:
            return False
        image = names.floor.gateway_image
        policy, _ = _with_login(names.policy, sandbox, environ)
        prepared = egress.prepare(engine, sandbox, policy, image, _quiet, addresses, credentials)
        egress.follow(engine, prepared, _quiet)
        return True


def may_have_secrets(engine: Engine, sandbox: str) -> bool:
    """Whether the sandbox that runs is one of `up`, which read secrets for it: an editor's gets none of an earlier start."""
    present = _sandbox(engine, sandbox)
    return present is not None and present.labels.get(MADE_BY) == UP


def wants_gateway(workspace: str, environ: Mapping[str, str]) -> bool:
    """Whether names are let through for `workspace`, so that its sandbox needs a gateway.

    :raises UsageError: the config is not valid
    """
    return _names(workspace, environ).policy is not None


def make_network(
    engine: Engine, workspace: str, environ: Mapping[str, str], *, most: int | None = None
) -> bool:
    """Make the networks on which an editor's container of `workspace` finds its gateway.

    :param most: the largest number of inner networks on the engine: beyond it none is made
    :returns: whether the subnet differs from that in generated files so far
    :raises EnvironmentFailure: a network cannot be made, or one of the name is not as we make it
    """
    from sandboxd.host.subnets import subnet_of
    from sandboxd.life import networks
    from sandboxd.life.lock import project_lock

    if most is not None and networks.count_inner(engine) >= most:
        return False
    before = subnet_of(environ, workspace)
    with project_lock(workspace, _quiet):
        networks.ensure(engine, workspace, _quiet)
    return before != subnet_of(environ, workspace)


def end_unused(
    engine: Engine, sandbox: str, environ: Mapping[str, str], *, forget: bool = False
) -> bool:
    """Remove the gateway of a sandbox that has no container left; False where it has one.

    :param forget: remove its inner network as well, and release its subnet
    :raises EnvironmentFailure: the engine does not remove it
    """
    from sandboxd.life import egress, find
    from sandboxd.life.lock import project_lock

    with project_lock(sandbox, _quiet):
        containers = find.sandboxes_of(engine, sandbox)
        is_used = any(c.labels.get(MADE_BY) == UP or c.state in _LIVE for c in containers)
        if not is_used:
            egress.leave(engine, sandbox, with_network=forget)
            chosen_groups.forget(environ, sandbox)
        return not is_used


def _names(sandbox: str, environ: Mapping[str, str]) -> AllowedNames:
    """The names that the project allows now; its config is read again."""
    from sandboxd.project import Project
    from sandboxd.project.names import names_now

    project = Project.open(workspace_of(sandbox), environ, name_of(sandbox))
    return names_now(project, time.time())


def _with_login(policy: Policy, sandbox: str, environ: Mapping[str, str]) -> tuple[Policy, str]:
    """`policy` with the user's login at its proxy, and why without it.

    Whatever else the policy says is in force all the same: a file of the login that nobody may read loosens nothing.
    """
    from sandboxd.policy import floor, proxy_credentials

    try:
        folder = floor.user_folder(environ)
        return proxy_credentials.add_to(policy, folder, workspace_of(sandbox)), ""
    except UsageError as error:
        return policy, error.message


def _sandbox(engine: Engine, sandbox: str) -> Summary | None:
    """The running sandbox of that identity that is to use a gateway, whoever started it."""
    from sandboxd.life import find

    for container in find.sandboxes_of(engine, sandbox):
        if container.state in _LIVE and container.labels.get(EGRESS):
            return container
    return None


def _quiet(_text: str) -> None:
    """Drop progress: no user waits for this work."""
