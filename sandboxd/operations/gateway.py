"""Keeps the gateway of a running sandbox up to date with the sandbox's rights, and restarts it when it has ended."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.model.labels import EGRESS, MADE_BY, UP
from sandboxd.operations import _present_rights
from sandboxd.policy import once
from sandboxd.state import chosen_groups, given_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.policy.gateway_rights import GatewayRights
    from sandboxd.policy.reconcile import Step


_LIVE = ("running", "paused")


class _NoneRuns(Exception):
    """No sandbox with a gateway runs."""


class Followed(NamedTuple):
    """What the gateway enforces after `follow`; `version` is that of its policy."""

    version: int
    problem: str
    """The reason why names in sandboxd.toml are not in force; '' if all are."""
    is_unread: bool = False
    """Whether the gateway keeps what it had, less what was taken back since: the config cannot be read, or asks for an
    open network, which only a start makes.
    """
    is_shut: bool = False
    """Whether it lets nothing through, as policy, grants or answers could not be read for too long."""
    no_login: str = ""
    """The reason why the gateway does not have the user's login for the proxy; '' if it has it, or there is none."""
    no_credentials: str = ""
    """As `Rights.no_credentials`."""
    ends: float = 0.0
    """When the first of the user's answers in it ends, in seconds since 1970; 0 if none does."""


def follow(
    engine: Engine,
    sandbox: str,
    environ: Mapping[str, str],
    *,
    addresses: Iterable[tuple[str, str]] = (),
    ends_logins: bool = False,
) -> Followed | None:
    """Make a sandbox's running gateway enforce exactly what the sandbox may have now, whatever caused a change.

    Rights that were revoked are removed at once, and connections that they allowed are closed; all of them where SSH
    keys were. New rights are given once they are in the audit record. If the project is to have no network any more, the
    gateway lets nothing through; the next `up` removes the network. If the config cannot be read, or asks for an open
    network, no new rights are given, but revocations by policy, grants, records and answers apply. If those cannot be
    read for long, nothing is let through.

    :param sandbox: the sandbox's identity
    :param addresses: (name, synthetic address) pairs of an earlier gateway, which stay valid
    :param ends_logins: whether SSH keys were revoked, beside those that were since the last call
    :returns: None if no sandbox with a gateway runs, or the network is to be open and nobody knows what it was given.
        The gateway of one that is stopped lets nothing through from then on: it may be started again by anybody
    :raises UsageError: policy, grants or answers cannot be read; the gateway stays as it is for
        `policy.unreadable.LONGEST_SECONDS`
    :raises RecordFailure: new rights cannot be recorded, and are not given; revoked ones were removed
    :raises EnvironmentFailure: the gateway does not accept the policy, or the sandbox is stopped and started all the
        time
    """
    for _ in range(3):
        with contextlib.suppress(_NoneRuns):
            return _follow(engine, sandbox, environ, addresses, ends_logins)
        if (stopped := _stopped(engine, sandbox, environ)) is not None:
            # A start that is at work sees that at its end.
            _follow(engine, sandbox, environ, stopped=stopped)
            return None
        # The engine may have started it again between the two looks.
        if running_sandbox(engine, sandbox) is None:
            return None
    raise EnvironmentFailure(
        "this sandbox stops and starts again while it is looked at", "run the same command again"
    )


def _follow(
    engine: Engine,
    sandbox: str,
    environ: Mapping[str, str],
    addresses: Iterable[tuple[str, str]] = (),
    ends_logins: bool = False,
    stopped: str | None = None,
) -> Followed | None:
    """As `follow`.

    :param stopped: the id of a container that does not run, whose gateway is to let nothing through; None: one runs
    :raises _NoneRuns: none does
    """
    from sandboxd.life import gateway, networks, running_gateway
    from sandboxd.life.lock import network_rights_lock, rights_lock
    from sandboxd.operations import rights_steps
    from sandboxd.policy.reconcile import Given

    # One after another, also of several processes: what was read earlier is never given later.
    with contextlib.ExitStack() as locks:
        locks.enter_context(rights_lock(environ, sandbox))
        if (container := stopped) is None:
            if (present := running_sandbox(engine, sandbox)) is None:
                raise _NoneRuns
            container = present.id
        pair = networks.pair_of(engine, sandbox)
        if pair is not None:
            locks.enter_context(network_rights_lock(pair.inner.id))
        record = given_rights.recall(environ, sandbox, container)
        if stopped is None:
            wanted, digest = _present_rights.read_by(record, sandbox, environ, container)
        else:
            wanted, digest = _present_rights.of_stopped(record, sandbox, environ, container), None
        if wanted.gateway is None:
            return None
        if pair is None:
            # Without them nobody knows which addresses are the host's, and must not be dialled.
            raise EnvironmentFailure(
                "the networks of this sandbox's gateway are gone",
                "nothing gets out; `sandboxd up` makes them again",
            )
        last = record.gateway if record is not None else None
        given = Given(running_gateway.version(engine, sandbox), last)
        is_new = record is not None and not given.version
        if record is not None and is_new:
            record = record.with_new_gateway()
        less = wanted.gateway.without_once(record.spent if record is not None else ())
        whole = gateway.complete(engine, pair, less, addresses)
        logins = _present_rights.logins_now(record, digest, wanted, environ)
        if record is not None:
            ends_logins = ends_logins or not {*logins}.issuperset(record.logins)
        if ends_logins and last is not None and last.version == given.version:
            # A login outlives its key, under any name of its server, and no gateway knows which tunnel is one.
            nothing = whole.nothing()
            gateway.push(engine, sandbox, nothing, cut=True)
            given = Given(nothing.policy.version, last._replace(version=nothing.policy.version))
        keep = functools.partial(_present_rights.keep, environ, record, digest, wanted)
        do = functools.partial(_do, engine, sandbox, keep)
        if not rights_steps.bring(wanted._replace(gateway=whole), given, environ, do):
            with contextlib.suppress(SandboxdError):
                keep(whole)
        if record is not None and is_new:
            once.use_up(environ, sandbox, record.spent)
        return Followed(
            whole.policy.version,
            wanted.problem,
            digest is None,
            digest is None and wanted.mode == "none",
            wanted.no_login,
            wanted.no_credentials,
            wanted.ends,
        )


def leaves_too_much(error: SandboxdError) -> bool:
    """Whether the sandbox may still have rights that were revoked, after `follow` raised `error`."""
    from sandboxd.audit.record import RecordFailure
    from sandboxd.life.gateway import GatewayGone

    return not isinstance(error, RecordFailure | GatewayGone)


def _do(engine: Engine, sandbox: str, keep: Callable[[GatewayRights], None], step: Step) -> None:
    """Do a step that has to do with the gateway.

    :param keep: keeps what the gateway has, or is to have next
    """
    from sandboxd.life import gateway
    from sandboxd.policy.reconcile import GiveNames, TakeNames

    if isinstance(step, TakeNames):
        gateway.push(engine, sandbox, step.rights, cut=True)
        # Taking back waits for no file; without it the next one does more than it has to.
        with contextlib.suppress(SandboxdError):
            keep(step.rights)
    elif isinstance(step, GiveNames):
        keep(step.rights)
        gateway.push(engine, sandbox, step.rights, cut=True)


def container_of_up(engine: Engine, sandbox: str) -> str:
    """The id of the running container of a sandbox that `up` started; '' for none.

    One that an editor started must not get the secrets of an earlier start.
    """
    present = running_sandbox(engine, sandbox)
    return present.id if present is not None and present.labels.get(MADE_BY) == UP else ""


def end_unused(
    engine: Engine, sandbox: str, environ: Mapping[str, str], *, forget: bool = False
) -> bool:
    """Remove the gateway of a sandbox that has no container any more; that of one that is stopped lets nothing through.

    :param sandbox: the sandbox's identity
    :param forget: also remove its inner network and release its subnet
    :returns: False if the sandbox has a container
    :raises EnvironmentFailure: the engine does not remove it
    """
    from sandboxd.life import egress, find
    from sandboxd.life.lock import project_lock

    with project_lock(sandbox, _quiet):
        containers = find.sandboxes_of(engine, sandbox)
        is_used = any(c.labels.get(MADE_BY) == UP or c.state in _LIVE for c in containers)
        if not is_used:
            record = given_rights.recall(environ, sandbox)
            egress.leave(engine, sandbox, with_network=forget)
            # Else the record stays, for the next gateway or until its container is found to be gone.
            had = record.serials if record is not None else ()
            if once.use_up(environ, sandbox, had):
                given_rights.forget(environ, sandbox, {container.id for container in containers})
            chosen_groups.forget_unused(environ, sandbox)
        elif (stopped := _stopped(engine, sandbox, environ)) is not None:
            _follow(engine, sandbox, environ, stopped=stopped)
        return not is_used


def running_sandbox(engine: Engine, sandbox: str) -> Summary | None:
    """The running sandbox of that identity that is to use a gateway, whoever started it."""
    from sandboxd.life import find

    for container in find.sandboxes_of(engine, sandbox):
        if container.state in _LIVE and container.labels.get(EGRESS):
            return container
    return None


def _stopped(engine: Engine, sandbox: str, environ: Mapping[str, str]) -> str | None:
    """The id of the container of a sandbox that does not run, or is gone, while its gateway runs; None for no such one."""
    from sandboxd.life import find, gateway

    containers = find.sandboxes_of(engine, sandbox)
    beside = gateway.container_of(engine, sandbox)
    if beside is None or beside.state != "running" or any(c.state in _LIVE for c in containers):
        return None
    if containers:
        return containers[0].id
    record = given_rights.recall(environ, sandbox)
    return record.container if record is not None else None


def _quiet(_text: str) -> None:
    """Drop progress: no user waits for this work."""
