"""Have the gateway of a running sandbox let through what holds now, and start it again where it died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations import _plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.operations._plan import Facts


def refresh(
    engine: Engine,
    workspace: str,
    environ: Mapping[str, str],
    *,
    facts: Facts = None,
    addresses: Iterable[tuple[str, str]] = (),
    version: int = 0,
) -> int | None:
    """Give the running gateway of `workspace` the policy that holds now, unless it has it.

    Connections that it does not let through end.

    :param addresses: names and synthetic addresses of before, which keep their meaning
    :param version: of the policy that the gateway has, 0 for none
    :returns: the version that is in force then; None where no sandbox with a gateway runs, or none is
        planned any more, which `drift` shows and `up` makes so
    :raises UsageError: the config is not valid; the gateway goes on as it is
    :raises EnvironmentFailure: the gateway does not take it
    """
    from sandboxd.life import gateway, networks

    container = _sandbox(engine, workspace)
    if container is None:
        return None
    plan = _plan.as_started(workspace, environ, container.id, facts)
    plan, _ = _plan.with_approvals(plan, environ)
    pair = networks.find(engine, workspace) if plan.egress is not None else None
    if plan.egress is None or pair is None:
        return None
    policy = gateway.complete(engine, pair, plan.egress, addresses)
    if policy.version != version:
        gateway.push(engine, workspace, policy, cut=True)
    return policy.version


def mend(
    engine: Engine,
    workspace: str,
    environ: Mapping[str, str],
    *,
    facts: Facts = None,
    addresses: Iterable[tuple[str, str]] = (),
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Have the gateway of `workspace` run while its sandbox does; False where no such sandbox runs.

    :param check: called while a start or an end of the project is waited for; ends it by raising
    :raises UsageError: the config is not valid, so there is no policy
    :raises EnvironmentFailure: the gateway cannot be had, or does not hold
    """
    from sandboxd.life import egress
    from sandboxd.life.lock import project_lock

    with project_lock(workspace, _quiet, check):
        container = _sandbox(engine, workspace)
        if container is None:
            return False
        plan = _plan.as_started(workspace, environ, container.id, facts)
        plan, image = _plan.with_approvals(plan, environ)
        prepared = egress.prepare(engine, plan, image, _quiet, addresses)
        if prepared is None:
            return False
        egress.follow(engine, prepared, _quiet)
        return True


def _sandbox(engine: Engine, workspace: str) -> Summary | None:
    """The running sandbox of `workspace` that is to reach names through a gateway."""
    from sandboxd.life import find
    from sandboxd.model.labels import EGRESS

    for container in find.ours(engine, workspace):
        if container.state in ("running", "paused") and container.labels.get(EGRESS):
            return container
    return None


def _quiet(_text: str) -> None:
    """Drop progress: no user waits for this work."""
