"""Has the gateway of a sandbox on a cluster enforce what the sandbox may have now, when a command looks at the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.audit.record import RecordFailure
from sandboxd.backends.kubernetes import api, records
from sandboxd.errors import SandboxdError
from sandboxd.operations.following import Outcome
from sandboxd.operations.on_cluster._gateway import PodGateway

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.target import Target


def follow(target: Target) -> Outcome:
    """Apply the present rights to the sandbox, as `operations.following.follow_one` does on this machine.

    Nothing is done for one that another machine started, whose plan says what it may have, or that has no gateway.
    """
    gateway = PodGateway(target)
    try:
        pod = target.cluster.get(api.POD, target.pod)
        record = records.recall(target.environ, target.cluster.context, target.pod)
        is_ours = pod is not None and record is not None and record.uid == pod["metadata"]["uid"]
        if not is_ours or gateway.policy() is None:
            return Outcome(target.sandbox, False)
        gateway.refresh()
    except SandboxdError as error:
        has_less = isinstance(error, RecordFailure)
        return Outcome(target.sandbox, False, error.message, error.hint, has_less)
    return Outcome(target.sandbox, True)
