"""Uses a sandbox that runs on its cluster already, if it is the planned one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sandboxd.backends.kubernetes import objects, records, waiting, work
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.on_cluster import refresh
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.operations.on_cluster.started import Started
from sandboxd.plan.reasons import Downgrade
from sandboxd.review import stop_notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxd.backends.kubernetes.records import Record
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.model.control_name import ControlName
    from sandboxd.operations.on_cluster.planning import Planned


def reuse(
    target: Target, planned: Planned, say: Callable[[str], None], *, is_refreshed: bool
) -> Started:
    """Leave the running sandbox as it is, but give its gateway the names that are allowed now.

    :param is_refreshed: whether to send files that are newer on the host
    :raises SandboxdError: its Pod cannot be used, or is of another plan
    """
    plan, wishes = planned.plan, planned.wishes
    pod = waiting.require_running(target.cluster, target.pod)
    record = _require_ours(target, planned, pod)
    # An end or a refresh of it may have been killed while its processes were stopped.
    is_stopped = stop_notes.is_noted(target.environ, record.uid)
    if is_stopped and not work.let_go_on(target, record.uid):
        raise EnvironmentFailure(
            "the processes of the sandbox are stopped, and do not continue",
            f"`sandboxd up{target.option} --recreate` keeps its changes for `review` and makes it anew",
        )
    if plan.egress is not None:
        PodGateway(target).refresh(is_start=True)
    started = Started(
        "already running",
        target.pod,
        record.uid,
        str(pod["spec"].get("nodeName", "")),
        plan.profile,
        wishes.runtime_class,
        # Another version may have noted a name that this one lacks; it is shown, and nobody compares it.
        tuple(
            Downgrade(cast("ControlName", each.control), each.why) for each in record.not_in_force
        ),
    )
    if is_refreshed:
        planned.require_allowed()
        done = refresh.refresh(target, record.uid, plan.hiding, say)
        return started._replace(how="refreshed", refreshed=done)
    return started._replace(newer=refresh.newer(target, record, plan.hiding))


def _require_ours(target: Target, planned: Planned, pod: dict[str, Any]) -> Record:
    """The record of the Pod, which was made here and by the same plan.

    :raises UsageError: it was not
    """
    plan, wishes = planned.plan, planned.wishes
    record = records.recall(target.environ, target.cluster.context, target.pod)
    if record is None or record.uid != pod["metadata"]["uid"]:
        raise UsageError(
            f"the Pod `{target.pod}` was started by somebody else, or from another machine",
            "`--name NAME` gives you one of your own",
        )
    wishes = objects.with_address(target.cluster, plan, wishes, target.pod)
    now = objects.pod_of(objects.written(plan, wishes))["metadata"]["annotations"][objects.PLAN]
    if (pod["metadata"].get("annotations") or {}).get(objects.PLAN) != now:
        raise UsageError(
            "the sandbox runs by another plan than the one of now",
            f"`sandboxd up{target.option} --recreate` keeps its changes for `review` and makes it anew",
        )
    return record
