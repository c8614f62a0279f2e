"""The network of a sandbox with a gateway in one row: what is allowed, what was denied, and open questions. Pure."""

from __future__ import annotations

from collections.abc import Collection

from sandboxd.egress import words
from sandboxd.egress.credential_lines import CredentialLine
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.policy import Decider, Policy
from sandboxd.egress.sources import sources
from sandboxd.status.model import DeniedName, NamesStatus

MOST_NAMES = 5


def names_status(
    policy: Policy,
    ledger: Ledger | None,
    now: float,
    in_use: Collection[str] | None = None,
) -> NamesStatus:
    """The state of the network.

    :param policy: the present policy, including the user's answers
    :param ledger: the gateway's events; None if none runs, or it is not connected
    :param now: seconds since 1970
    :param in_use: the services whose credentials may be used now; None: all of the policy
    """
    allowed = sources(policy)
    if ledger is None:
        return NamesStatus(allowed, credentials=_credentials(policy, Ledger()))
    decider = Decider(policy)
    denied: dict[tuple[str, int], DeniedName] = {}
    for line in reversed(ledger.lines()):
        if line.outcome != "denied" or len(denied) >= MOST_NAMES:
            continue
        if line.is_tripwire or not decider.decide(line.name, line.port, now).allowed:
            denied.setdefault(
                (line.name, line.port),
                DeniedName(
                    line.name,
                    line.port,
                    line.reason,
                    words.reason(line.reason),
                    line.last,
                    words.command(line.name, line.port, line.reason),
                ),
            )
    return NamesStatus(
        allowed,
        True,
        ledger.totals,
        tuple(denied.values()),
        ledger.questions(policy, now),
        _credentials(policy, ledger, in_use),
        carried=ledger.traffic.by_name(),
    )


def _credentials(
    policy: Policy, ledger: Ledger, in_use: Collection[str] | None = None
) -> tuple[CredentialLine, ...]:
    services = [service for service, _ in policy.credentials]
    lines = [ledger.credentials.get(service, CredentialLine(service)) for service in services]
    bounds = [each for each in (ledger.held, in_use) if each is not None]
    return tuple(
        line._replace(is_missing=any(line.service not in each for each in bounds)) for line in lines
    )
