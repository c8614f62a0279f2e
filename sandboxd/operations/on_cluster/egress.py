"""The user's answers about names for a sandbox on a cluster: saved on this machine, enforced by the gateway there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.backends.kubernetes import api, records, waiting
from sandboxd.errors import UsageError
from sandboxd.operations.egress.actions import act as act_here
from sandboxd.operations.egress.check import check
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.operations.wire import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.target import Target

_CHANGES = ("allow", "deny")


class Names:
    """Runs the actions of `sandboxd egress` for one sandbox; the gateway's log is read only once for several of
    them.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._gateway = PodGateway(target)

    def act(self, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run `action`; return the fields of its result as JSON data, as `operations.egress.actions.act` does.

        :raises UsageError: it is not possible on a cluster, or another machine started the sandbox; or as `actions.act`
        """
        target = self._target
        if arguments.get("once"):
            raise UsageError(
                "`--once` does not go with `--on`",
                "a gateway that its cluster starts again would let one more connection through; give it a "
                "time: `--for 10m`",
            )
        if action in _CHANGES:
            self._require_ours()
        answer: dict[str, Any]
        if action == "check":
            policy = self._gateway.policy()
            answer = encode(check(target.directory, target.environ, policy=policy, **arguments))
        else:
            answer = act_here(
                action,
                target.directory,
                target.environ,
                arguments,
                lambda _: self._find(),
                target.name,
            )
        for row in (answer, *answer.get("rows", ())):
            if row.get("command"):
                row["command"] += self._target.option
        return answer

    def _find(self) -> PodGateway | None:
        pod = self._target.cluster.get(api.POD, self._target.pod)
        return self._gateway if pod is not None and not waiting.end_of(pod) else None

    def _require_ours(self) -> None:
        target = self._target
        pod = target.cluster.get(api.POD, target.pod)
        record = records.recall(target.environ, target.cluster.context, target.pod)
        if pod is not None and (record is None or record.uid != pod["metadata"]["uid"]):
            raise UsageError(
                f"the Pod `{target.pod}` was started by somebody else, or from another machine",
                "answer on the machine that started it: its plan says what the sandbox reaches",
            )
