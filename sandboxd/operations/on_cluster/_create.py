"""Creates a sandbox on its cluster: the objects, a wait for its Pods, a check of the network, the copy of the
workspace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.audit import notes
from sandboxd.backends.kubernetes import admission, api, losses, network_trial, records, waiting
from sandboxd.backends.kubernetes import objects as pod_objects
from sandboxd.backends.kubernetes.records import Lost, Record
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.control_name import ControlName
from sandboxd.model.labels import GATEWAY
from sandboxd.operations import recording
from sandboxd.operations.on_cluster import (
    _identity,
    _names,
    _send,
)
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.operations.on_cluster.started import Started
from sandboxd.plan import profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from sandboxd.backends.kubernetes.network_trial import Trial
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster._install import Program
    from sandboxd.operations.on_cluster._send import Sent
    from sandboxd.operations.on_cluster.planning import Planned
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.reasons import Downgrade


def create(
    target: Target, planned: Planned, tell: Callable[[str, bool], None], program: Program | None
) -> Started:
    """Create the sandbox of `target`. If it fails, the caller removes what was created.

    :param planned: the plan, and the options for the cluster
    :param tell: called with each step, and whether the next may replace it
    :param program: the agent's program to install before any file of the workspace arrives; None for none
    :raises SandboxdError: it cannot be created, or its profile needs an isolated network and the network is open, or what
        the user allows was changed meanwhile
    """

    def say(text: str) -> None:
        tell(text, True)

    plan = planned.plan
    say("making the gateway's address")
    wishes = pod_objects.with_address(target.cluster, plan, planned.wishes, target.pod)
    planned = planned._replace(wishes=wishes)
    answered = _names.for_start(target, plan)
    first = _names.with_rules(answered, program.rules if program is not None else ())
    objects = pod_objects.written(plan, wishes, first)
    changed = pod_objects.make(target.cluster, objects, plan.time_limit or 0, say)
    _await_gateway(target, plan, tell)
    say("trying the network from inside")
    is_sandbox = wishes.for_controller
    if present := target.cluster.get(api.POD, target.pod):
        uid = present["metadata"]["uid"]
        records.note_start(target.environ, target.cluster.context, target.pod, uid)
    pod = _running_pod(target, plan, tell, of_sandbox=is_sandbox)
    if is_sandbox:
        made_of_it = admission.differences(pod_objects.pod_of(objects), pod)
        changed += [f"Pod `{target.pod}`: {each.words}" for each in made_of_it]
    trial = network_trial.of_pod(pod)
    _refuse_open(trial, plan)
    if plan.egress is not None:
        say("trying whether the gateway knows the sandbox")
        PodGateway(target).require_client(str((pod.get("status") or {}).get("podIP") or ""))
    if program is not None:
        program.bring(say)
        objects = pod_objects.written(plan, wishes, answered)
        if answered.egress is not None:
            say("closing the way to the program's registry")
            PodGateway(target).refresh(is_start=True)
    # Images and Pods take minutes, and what was revoked meanwhile is not to get the files.
    planned.require_allowed()
    say("copying the workspace")
    sent = _send.send(target, pod["metadata"]["uid"], plan.hiding, say)
    planned.require_allowed()
    lost = losses.not_in_force(plan, wishes, trial)
    if _identity.put(target, plan):
        lost = tuple(each for each in lost if each.control != ControlName.GIT_IDENTITY)
    if is_sandbox:
        objects = [*objects, pod_objects.pod_of(objects)]
    started = _recorded(target, planned, pod, objects, lost, sent)
    if plan.egress is not None:
        PodGateway(target).refresh(is_start=True)
    return started._replace(changed=tuple(changed))


def _await_gateway(target: Target, plan: Plan, say: Callable[[str, bool], None]) -> None:
    if plan.egress is None:
        return
    say("waiting for the gateway", True)
    labels = {GATEWAY: target.pod}
    waiting.until_gateway(target.cluster, f"{target.pod}-gateway", labels, say)


def _running_pod(
    target: Target, plan: Plan, say: Callable[[str, bool], None], *, of_sandbox: bool
) -> dict[str, Any]:
    """Wait until the Pod runs, and return it; the check of its network has ended by then.

    :raises EnvironmentFailure: the trial did not let it start
    :raises CannotStart: it does not run for another reason
    """
    try:
        return waiting.until_running(target.cluster, target.pod, say, of_sandbox=of_sandbox)
    except waiting.CannotStart:
        trial = network_trial.of_pod(target.cluster.get(api.POD, target.pod) or {})
        if trial.is_final():
            _refuse_open(trial, plan)
        raise


def _refuse_open(trial: Trial, plan: Plan) -> None:
    """:raises EnvironmentFailure: nobody saw that policies hold, where the profile refuses to run without gVisor"""
    if trial.outcome == "enforced" or profiles.load(plan.profile).gvisor != "required":
        return
    what = "the cluster's network enforces no NetworkPolicy"
    if trial.outcome == "not checked":
        what = "nobody saw that the cluster's network enforces NetworkPolicies"
    raise EnvironmentFailure(
        f"{what}, and profile `{plan.profile}` needs it closed: {trial.evidence}",
        "use a cluster whose network enforces them, or a profile for code that you trust",
    )


def _recorded(
    target: Target,
    planned: Planned,
    pod: dict[str, Any],
    objects: Sequence[dict[str, Any]],
    lost: tuple[Downgrade, ...],
    sent: Sent,
) -> Started:
    """Note the copy, which is whole, and record the start.

    :raises EnvironmentFailure: the copy cannot be noted
    """
    context, uid = target.cluster.context, pod["metadata"]["uid"]
    record = Record(
        uid,
        sent.started,
        target.folder,
        sent.manifest.listed,
        [Lost(each.control, each.why) for each in lost],
        objects,
        sent.manifest.times,
        sorted(sent.manifest.objects),
        sent.head,
    )
    with records.locked(target.environ, context, target.pod):
        records.note(target.environ, context, target.pod, record)
    return Started(
        "started",
        target.pod,
        uid,
        str(pod["spec"].get("nodeName", "")),
        planned.plan.profile,
        planned.wishes.runtime_class,
        lost,
        sent=sent,
        problem=_record_start(target, planned, pod, lost),
    )


def _record_start(
    target: Target, planned: Planned, pod: dict[str, Any], lost: tuple[Downgrade, ...]
) -> str:
    """Write an entry for this start into the audit record.

    :returns: why it could not be written; '' if it was
    """
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    context = target.cluster.context
    return notes.note(
        target.environ,
        "start",
        target.workspace,
        **recording.name_fact(target.sandbox),
        how="started",
        profile=planned.plan.profile,
        cluster=context.name,
        server=context.server,
        namespace=context.namespace,
        runtime=planned.wishes.runtime_class or "the node's default",
        container=str(pod["metadata"]["uid"]),
        image=str(statuses[0].get("imageID") or statuses[0].get("image", "")),
        plan=str((pod["metadata"].get("annotations") or {}).get(pod_objects.PLAN, "")),
        not_in_force=[each.control for each in lost],
        credentials=[],
    )
