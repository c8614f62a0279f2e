"""The present state of the network by name: of the plan as it was looked at last, with what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
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
) -> NamesStatus | None:
    """The names of a running sandbox by its gateway's record; None where that is not attended to.

    :param now: seconds since 1970
    """
    planned = examined.egress
    if ledger is None or planned is None:
        return None
    try:
        rights = rights_of_policy(planned, examined.uses, workspace, environ, now)
    except SandboxdError:
        # `sandboxd egress` says why they cannot be read; here they allow nothing.
        return names_status(planned, ledger, now)
    policy = rights.gateway.policy if rights.gateway is not None else planned
    in_use = frozenset(service for service, _ in policy.credentials)
    return names_status(policy._replace(credentials=planned.credentials), ledger, now, in_use)
