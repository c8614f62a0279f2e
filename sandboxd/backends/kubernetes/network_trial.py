"""The result of the network trial: what a container saw of the sandbox's network, in its Pod and before the project's
own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from sandboxd.model.labels import TRIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

Outcome = Literal["enforced", "open", "not checked"]
_LONGEST = 500


class Trial(NamedTuple):
    """The outcome of a trial, and for a person what it saw."""

    outcome: Outcome
    evidence: str
    moment: str = ""
    """When it ended, as RFC 3339 text; '' where it did not end, or gave no valid result."""

    def is_final(self) -> bool:
        """Whether the trial ended with a valid result."""
        return bool(self.moment)


def of_pod(pod: Mapping[str, Any]) -> Trial:
    """The trial's result in a Pod's status; the outcome ``not checked`` where there is none, or it is not valid."""
    for each in (pod.get("status") or {}).get("initContainerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated") or {}
        if each.get("name") != TRIAL or not ended:
            continue
        try:
            message = json.loads(str(ended.get("message", "")))
            outcome, evidence = message["outcome"], " ".join(str(message["evidence"]).split())
        except (ValueError, KeyError, TypeError, RecursionError):
            break
        # A trial that saw a closed network ends with 0.
        is_sound = outcome in get_args(Outcome) and (
            outcome != "enforced" or not ended.get("exitCode")
        )
        if is_sound:
            moment = str(ended.get("finishedAt") or "")
            return Trial(cast("Outcome", outcome), evidence[:_LONGEST], moment)
        break
    return Trial("not checked", f"the Pod has no result of its container `{TRIAL}`")
