"""The events of a gateway about credentials, summed up in one line for each service. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.egress.messages import CredentialTried

MOST_SERVICES = 64
_LONGEST_DETAIL = 200


class CredentialLine(NamedTuple):
    """The requests for one service, counted by their outcome (`messages.CredentialTried`)."""

    service: str
    used: int = 0
    rejected: int = 0
    """The service answered 401 or 403: the secret is expired, revoked, or may not do that."""
    refused: int = 0
    """A request that does not get the credential."""
    failed: int = 0
    last: float = 0.0
    """Seconds since the epoch; 0 for never."""
    last_rejected: float = 0.0
    status: int = 0
    """Of the last rejection."""
    reason: str = ""
    """Of the last refusal or failure."""
    detail: str = ""
    """Its words for a person: hostile text."""
    is_missing: bool = False
    """Whether the gateway has no secret for it."""

    @property
    def is_rejected(self) -> bool:
        """Whether the service refused the secret at its last use."""
        return bool(self.last_rejected) and self.last_rejected >= self.last


def enter(lines: dict[str, CredentialLine], event: CredentialTried) -> None:
    """Add `event` to the counts in `lines`, by service; beyond a number of services the last are left out."""
    service, outcome, count = event["service"], event["outcome"], event["count"]
    if service not in lines and len(lines) >= MOST_SERVICES:
        return
    line = lines.get(service, CredentialLine(service))
    if outcome == "used":
        line = line._replace(used=line.used + count, last=event["time"])
    elif outcome == "rejected":
        line = line._replace(
            rejected=line.rejected + count, last_rejected=event["time"], status=event["status"]
        )
    else:
        detail = event.get("detail", "")[:_LONGEST_DETAIL]
        line = line._replace(reason=event["reason"], detail=detail)
        is_refused = outcome == "refused"
        line = line._replace(
            refused=line.refused + count * is_refused, failed=line.failed + count * (not is_refused)
        )
    lines[service] = line
