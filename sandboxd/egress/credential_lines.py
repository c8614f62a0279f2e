"""Sums up a gateway's events about credentials, in one line for each service. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.egress.messages import CredentialTried

MOST_SERVICES = 64
_LONGEST_DETAIL = 200


class CredentialLine(NamedTuple):
    """The number of requests for one service by their outcome: see `messages.CredentialTried`."""

    service: str
    used: int = 0
    rejected: int = 0
    """Answered by the service with 401 or 403: the secret has expired, is revoked, or does not permit the request."""
    refused: int = 0
    """Refused by the gateway, since such a request does not get the credential."""
    failed: int = 0
    last: float = 0.0
    """The time of the last request, in seconds since the epoch; 0 for none."""
    last_rejected: float = 0.0
    """The time of the last rejection, in seconds since the epoch; 0 for none."""
    status: int = 0
    """The HTTP status of the last rejection; 0 for none."""
    reason: str = ""
    """The reason of the last refusal or failure; '' for none."""
    detail: str = ""
    """Details of that refusal or failure, for a person; '' for none. Hostile text."""
    is_missing: bool = False
    """Whether the gateway has no secret for it."""

    @property
    def is_rejected(self) -> bool:
        """Whether the service refused the secret at its last use."""
        return bool(self.last_rejected) and self.last_rejected >= self.last


def enter(lines: dict[str, CredentialLine], event: CredentialTried) -> None:
    """Count `event` in `lines`, by service; events of services beyond a limit are left out."""
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
