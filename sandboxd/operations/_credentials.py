"""The credentials of a start: read before anything starts, and sent to its gateway once it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.control_name import ControlName
from sandboxd.plan.reasons import Downgrade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.resolve import Resolved
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.plan.plan import Plan


def resolve(plan: Plan, environ: Mapping[str, str]) -> Resolved | None:
    """The secrets for the credentials in `plan`; None if the plan has none.

    :raises UsageError: the user's list of credentials cannot be read
    """
    if not plan.credentials:
        return None
    # Late: most sandboxes use none.
    from sandboxd.credentials.resolve import resolve as resolve_uses

    return resolve_uses(plan.credentials, environ)


def downgrades(resolved: Resolved | None) -> tuple[Downgrade, ...]:
    """A downgrade for each credential that the sandbox starts without.

    :param resolved: as `resolve` returned it
    """
    missing = resolved.missing if resolved is not None else ()
    return tuple(
        Downgrade(ControlName.CREDENTIALS, f"`{each.name}` is not in force: {each.why}", each.hint)
        for each in missing
    )


def without_ssh(
    resolved: Resolved | None, is_served: bool, sandbox: str, environ: Mapping[str, str]
) -> tuple[Downgrade, ...]:
    """The downgrade for SSH keys that the plan uses while no daemon runs that would relay signature requests; else ().

    :param is_served: whether a daemon serves the keys
    :param sandbox: the sandbox's identity
    """
    if resolved is None or resolved.ssh is None or is_served:
        return ()
    from sandboxd.agents import session

    again = session.start_command(sandbox, session.agent_of(environ, sandbox))
    why = "`ssh` is not in force: a daemon passes signatures on, and this start had none"
    return (Downgrade(ControlName.CREDENTIALS, why, f"`sandboxd daemon start`, then `{again}`"),)


def for_gateway(plan: Plan, resolved: Resolved | None) -> Credentials | None:
    """The credentials to send to the gateway of `plan`; an empty set removes earlier ones.

    :param resolved: as `resolve` returned it
    :returns: None if the plan has no gateway
    """
    if plan.egress is None:
        return None
    if resolved is not None:
        return resolved.credentials
    from sandboxd.egress.broker_wire import Credentials

    return Credentials()
