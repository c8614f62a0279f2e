"""Gives a gateway that starts, or runs while its sandbox starts, what the sandbox may have; and starts one that has ended."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.operations import _groups, _present_rights, gateway, recording
from sandboxd.policy import once
from sandboxd.policy.in_force import in_force
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.engine.client import Engine
    from sandboxd.life.egress import Offer
    from sandboxd.policy.gateway_rights import GatewayRights
    from sandboxd.policy.rights import Rights


def mend(
    engine: Engine,
    sandbox: str,
    environ: Mapping[str, str],
    *,
    addresses: Iterable[tuple[str, str]] = (),
    secrets_of: Callable[[str], Credentials | None] = lambda _container: None,
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Restart the gateway of a running sandbox.

    :param sandbox: the sandbox's identity
    :param addresses: (name, synthetic address) pairs of the earlier gateway, which stay valid
    :param secrets_of: returns the credentials that the start of the container with an id read; None if they are not
        known. Only called for a sandbox of `up`
    :param check: called while another start or end of the project is waited for; ends it by raising
    :returns: False if no such sandbox runs, or it is to have no gateway
    :raises UsageError: the config is not valid, so there is no policy
    :raises EnvironmentFailure: the gateway cannot run, or its network is not isolated
    """
    from sandboxd.life import egress
    from sandboxd.life.lock import project_lock
    from sandboxd.project.of_sandbox import of_sandbox

    with project_lock(sandbox, _quiet, check):
        present = gateway.running_sandbox(engine, sandbox)
        if present is None:
            return False
        credentials = secrets_of(present.id) if present.labels.get(MADE_BY) == UP else None
        project = of_sandbox(sandbox, environ)
        # An editor's container has its first gateway by this.
        _groups.keep(environ, project)
        wanted = _present_rights.of_project(project, present.id)
        if wanted.gateway is None or not wanted.has_gateway:
            return False
        image = in_force(environ).gateway_image
        read = functools.partial(_present_rights.read, sandbox, environ, present.id)
        give = functools.partial(giving, environ, sandbox, read)
        prepared = egress.prepare(
            engine, sandbox, wanted.gateway, image, _quiet, addresses, credentials, give
        )
        egress.follow(engine, prepared, _quiet)
        return True


@contextlib.contextmanager
def giving(
    environ: Mapping[str, str],
    sandbox: str,
    read: Callable[[], tuple[Rights, str | None]],
    network: str,
    complete: Callable[[GatewayRights], GatewayRights],
    *,
    waiting: Callable[[str], None] | None = None,
) -> Iterator[Offer]:
    """A context whose value is all that the sandbox may have now, for a gateway that is given all of it.

    The rights locks are held, so nothing is revoked meanwhile. New rights are recorded and saved before the block begins.

    :param sandbox: the sandbox's identity
    :param read: returns the present rights, and the digest of the config behind them (None if it cannot be read)
    :param network: the id of the gateway's inner network
    :param complete: adds what depends on the engine's machine
    :param waiting: as in `lock.rights_lock`; None for who gives again what the sandbox had
    :raises RecordFailure: a new right cannot be recorded
    :raises EnvironmentFailure: the rights cannot be saved, or the lock is not free in time, or the network is to be
        open
    """
    from sandboxd.life.egress import Offer
    from sandboxd.life.lock import rights_lock
    from sandboxd.policy.reconcile import to_record

    with rights_lock(environ, sandbox, network, waiting):
        wanted, digest = read()
        if wanted.gateway is None:
            raise EnvironmentFailure(
                "the network of this sandbox is to be open by now", "`sandboxd up` makes it so"
            )
        before = given_rights.recall(environ, sandbox, wanted.target.container)
        last = before.gateway if before is not None and before.gateway is not None else Policy()
        for step in to_record(wanted, last):
            recording.before_widening(environ, sandbox, step.names, step.credentials)
        keep = functools.partial(_keep, environ, sandbox, wanted, digest)
        spent = before.spent if before is not None else ()
        whole = complete(wanted.gateway.without_once(spent))
        keep(before, whole)
        yield Offer(whole, functools.partial(_anew, environ, wanted, before, complete, keep, whole))


def _keep(
    environ: Mapping[str, str],
    sandbox: str,
    wanted: Rights,
    digest: str | None,
    before: GivenRights | None,
    whole: GatewayRights,
) -> None:
    if wanted.target.container:
        _present_rights.keep(environ, before, digest, wanted, whole)
        return
    # Which container runs by it is known once it does. The secrets of an earlier one are replaced.
    before = before or GivenRights("", "", wanted.planned or Policy())
    given_rights.keep(environ, sandbox, before.with_gateway(whole.policy)._replace(accounts=()))


def _anew(
    environ: Mapping[str, str],
    wanted: Rights,
    before: GivenRights | None,
    complete: Callable[[GatewayRights], GatewayRights],
    keep: Callable[[GivenRights | None, GatewayRights], None],
    whole: GatewayRights,
) -> GatewayRights:
    """What a gateway that is made anew gets of `whole`.

    :raises EnvironmentFailure: that cannot be saved
    """
    if before is None or wanted.gateway is None or not before.serials:
        return whole
    # Only the gateway that has ended knows which of them it used.
    after = before.with_new_gateway()
    less = complete(wanted.gateway.without_once(after.spent))
    keep(after, less)
    once.use_up(environ, wanted.target.sandbox, after.spent)
    return less


def wants_gateway(workspace: str, environ: Mapping[str, str]) -> bool:
    """Whether the network of a sandbox is to have a gateway.

    :param workspace: the sandbox's identity
    :raises UsageError: the config is not valid
    """
    from sandboxd.project.of_sandbox import of_sandbox

    return _present_rights.of_project(of_sandbox(workspace, environ), "").has_gateway


def make_network(
    engine: Engine, workspace: str, environ: Mapping[str, str], *, most: int | None = None
) -> bool:
    """Create the networks on which a container that an editor starts finds its gateway.

    :param workspace: the sandbox's identity
    :param most: the largest number of inner networks on the engine, at which none is created; None: no limit
    :returns: whether the subnet differs from the one that generated files name so far
    :raises EnvironmentFailure: a network cannot be created, or one of its name differs from the one that sandboxd makes
    """
    from sandboxd.life import networks
    from sandboxd.life.lock import project_lock
    from sandboxd.state.subnets import subnet_of

    if most is not None and networks.count_inner(engine) >= most:
        return False
    before = subnet_of(environ, workspace)
    with project_lock(workspace, _quiet):
        networks.ensure(engine, workspace, _quiet)
    return before != subnet_of(environ, workspace)


def _quiet(_text: str) -> None:
    """Drop progress: no user waits for this work."""
