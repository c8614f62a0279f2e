"""The present state of a network with a gateway: of the plan as last examined, with the rights that hold now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.egress.sources import sources
from sandboxd.errors import SandboxdError
from sandboxd.policy.gateway_rights import is_covered
from sandboxd.project.rights import rights_of_policy
from sandboxd.status.names import names_status

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger
    from sandboxd.status.combine import Examined
    from sandboxd.status.model import NamesStatus


def names_now(
    environ: Mapping[str, str],
    workspace: str,
    examined: Examined,
    ledger: Ledger | None,
    now: float,
    behind: str = "",
    shut: str = "",
) -> NamesStatus | None:
    """The state of the network of a running sandbox; None if it has no gateway, or `ledger` is None and there is
    nothing to report in `behind`.

    :param ledger: the gateway's events; None if none runs, or it is not connected
    :param now: seconds since 1970
    :param behind: the reason why the gateway may not enforce the present rights; '' if it does
    :param shut: the reason why it lets nothing through; '' if it does as the rights say
    """
    planned = examined.egress
    if ledger is None and not behind:
        return None
    if shut:
        # Also where there is no plan, as the project's folder is gone.
        return names_status(Policy(), ledger, now)._replace(behind=behind, shut=shut)
    if planned is None:
        return None
    is_granted = examined.trust == "in force"
    try:
        rights = rights_of_policy(
            planned, examined.uses, workspace, environ, now, examined.digest, is_granted
        )
    except SandboxdError:
        # `sandboxd egress` says why they cannot be read; here they allow nothing.
        return names_status(planned, ledger, now)._replace(behind=behind)
    policy = rights.gateway.policy if rights.gateway is not None else planned
    in_use = frozenset(service for service, _ in policy.credentials)
    names = names_status(policy._replace(credentials=planned.credentials), ledger, now, in_use)
    waiting = [rule for rule in planned.rules if not is_covered(rule, policy.rules)]
    return names._replace(waiting=sources(planned._replace(rules=tuple(waiting))), behind=behind)
