"""The present state of the network by name, with the user's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.policy import approvals, floor
from sandboxd.status.names import names_status

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger
    from sandboxd.egress.policy import Policy
    from sandboxd.status.model import NamesStatus


def names_now(
    environ: Mapping[str, str],
    workspace: str,
    planned: Policy | None,
    ledger: Ledger | None,
    now: float,
) -> NamesStatus | None:
    """The names of a running sandbox by its gateway's record; None where that is not attended to.

    :param planned: of the plan alone
    :param now: seconds since 1970
    """
    if ledger is None or planned is None:
        return None
    try:
        policy = approvals.in_force(environ, workspace, planned, floor.load(environ), now)
    except SandboxdError:
        # `sandboxd egress` says why they cannot be read; here they allow nothing.
        policy = planned
    return names_status(policy, ledger, now)
