"""Start a project's sandbox on a cluster: objects, a wait, a trial of the network, then the workspace's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.audit import notes
from sandboxd.cluster import admission, api, failures, records, sandboxes, waiting
from sandboxd.cluster.records import Record
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.host.login import login_name
from sandboxd.model.labels import GATEWAY
from sandboxd.operations import recording
from sandboxd.operations.on_cluster import (
    _hooks,
    _identity,
    _losses,
    _names,
    _network,
    _objects,
    _secrets,
    _send,
    refresh,
    stop,
)
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.plan import cluster as plan_cluster
from sandboxd.plan import profiles
from sandboxd.plan.plan import Downgrade
from sandboxd.plan.writers import kubernetes
from sandboxd.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxd.operations.on_cluster._install import Program
    from sandboxd.operations.on_cluster.refresh import Newer, Refreshed
    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Plan

GATEWAY_IMAGE = "python:3-slim"
"""Where the user names none: any image with Python 3.11 or later does."""


class Options(NamedTuple):
    """The user's options for the start; '' for each that is not given."""

    image: str = ""
    runtime_class: str = ""
    gateway_image: str = ""
    seccomp_profile: str = ""
    recreate: bool = False
    keeps_secrets: bool = False
    """The gateway is given the secrets that the plan names."""
    sandbox: bool = False
    """Make a Sandbox of agent-sandbox in the place of a Pod."""
    refresh: bool = False
    """Send what the host has newer, where the sandbox runs already."""
    hooks: bool = True
    """Run the lifecycle hooks that are due."""
    until_ready: bool = False
    """Leave those behind `waitFor` to the next start."""


class Started(NamedTuple):
    """`how` is ``started``, ``already running`` or ``refreshed``; `sent` is None where nothing had to be."""

    how: str
    pod: str
    uid: str
    """Of the Pod."""
    node: str
    profile: str
    runtime_class: str
    not_in_force: tuple[Downgrade, ...]
    changed: tuple[str, ...]
    """Changes of our objects by the cluster."""
    sent: _send.Sent | None
    problem: str
    """The reason why the start is not recorded, '' where it is."""
    newer: Newer | None = None
    """The files that the host has newer than the copy of a sandbox that runs already."""
    refreshed: Refreshed | None = None
    failure: str = ""
    """The lifecycle hook that failed, '' for none; the sandbox runs."""
    hint: str = ""


def start(
    target: Target,
    options: Options,
    grants: Grants,
    say: Callable[[str, bool], None],
    program: Program | None = None,
) -> Started:
    """Start the sandbox of `target`, or leave it alone where it runs as planned; then run the hooks that are due.

    Nothing is left of a start that fails. A lifecycle hook that fails is no such failure: the sandbox goes on
    running, and the result names it.

    :param say: hears of each step (text, whether it passes)
    :param program: brought into a new Pod before any file of the workspace
    :raises SandboxdError: it cannot be started
    """
    cluster = target.cluster
    project = Project.open(target.workspace, target.environ, target.name)
    project = project.with_image(options.image)
    wishes = _wishes(target, options)
    if options.sandbox and not sandboxes.are_there(cluster):
        raise UsageError(
            f"the cluster has no agent-sandbox: it does not know `{api.SANDBOX.version}`",
            "leave `--sandbox` out: a Pod does the same; or have https://agent-sandbox.sigs.k8s.io installed",
        )
    plan = _plan(project, wishes, grants)
    if not options.keeps_secrets:
        required = (use.name for use in plan.credentials if use.is_required)
        _secrets.require_none(required, target.environ)
    profile = profiles.load(plan.profile)
    present = cluster.get(api.POD, target.pod)
    if present is None and not options.recreate:
        _refuse_one_without_pod(target)
    if present is not None and options.recreate:
        stop.stop(target, discard=False, say=lambda text: say(text, False))
        present = None
    if grants.allow_runc:
        recording.before_weak_start(target.environ, target.workspace)
    if present is not None:
        return _with_hooks(
            target, plan, options, _running(target, plan, wishes, options.refresh, say), say
        )
    _send.require_room(target, kubernetes.room_of_work(profile), plan.profile)
    try:
        started = _make(target, plan, wishes, profile.gvisor == "required", say, program)
    except BaseException:
        say("taking away what was made", True)
        _take_away_quietly(target)
        raise
    return _with_hooks(target, plan, options, started, say)


def _with_hooks(
    target: Target,
    plan: Plan,
    options: Options,
    started: Started,
    say: Callable[[str, bool], None],
) -> Started:
    """`started`, once the hooks ran that are due; what it made stays whatever they do."""
    if not options.hooks:
        return started
    failure, hint = _hooks.run(target, started.uid, plan, say, until_ready=options.until_ready)
    return started._replace(failure=failure, hint=hint)


def planned(target: Target, options: Options, grants: Grants) -> Plan:
    """The plan by which `start` would start it.

    :raises SandboxdError: as `start`
    """
    project = Project.open(target.workspace, target.environ, target.name).with_image(options.image)
    return _plan(project, _wishes(target, options), grants)


def _refuse_one_without_pod(target: Target) -> None:
    """:raises UsageError: there is a Sandbox that has no Pod and gets none, so that nothing can be made of its name"""
    sandbox = sandboxes.find(target.cluster, target.pod)
    if sandbox is not None:
        why = sandboxes.end_of(sandbox) or sandboxes.reason_of(sandbox) or "it has no Pod"
        raise UsageError(
            f"the Sandbox `{target.pod}` is there, and does not run: {why}",
            f"`sandboxd down{target.option}` takes it away",
        )


def _take_away_quietly(target: Target) -> None:
    """Remove what a failed start left, as far as the cluster can be reached; the failure itself is told."""
    try:
        _objects.take_away(target.cluster, target.pod)
    except SandboxdError:
        return


def _wishes(target: Target, options: Options) -> plan_cluster.Cluster:
    if options.keeps_secrets:
        _secrets.require_allowed(target.environ)
    name, handler = options.runtime_class, ""
    if name:
        runtime_class = target.cluster.get(api.RUNTIME_CLASS, name)
        if runtime_class is None:
            names = (
                ", ".join(f"`{each['metadata']['name']}`" for each in _classes(target)) or "none"
            )
            raise UsageError(f"the cluster has no RuntimeClass `{name}`", f"it has {names}")
        handler = str(runtime_class.get("handler", ""))
    else:
        classes = _classes(target)
        pairs = [(str(each["metadata"]["name"]), str(each.get("handler", ""))) for each in classes]
        name, handler = plan_cluster.gvisor_class(pairs)
    return plan_cluster.Cluster(
        image=options.image,
        namespace=target.cluster.context.namespace,
        runtime_class=name,
        handler=handler,
        seccomp_profile=options.seccomp_profile,
        gateway_image=options.gateway_image or GATEWAY_IMAGE,
        user=login_name(),
        keeps_secrets=options.keeps_secrets,
        for_controller=options.sandbox,
        runs_hooks=True,
        repository=plan_cluster.repository_elsewhere(target.workspace),
    )


def _classes(target: Target) -> list[dict[str, Any]]:
    """The RuntimeClasses, by name; none where the user may not ask."""
    try:
        runtime_class = target.cluster.list(api.RUNTIME_CLASS)
    except failures.Refused:
        return []
    return sorted(runtime_class, key=lambda each: str(each["metadata"]["name"]))


def _plan(project: Project, wishes: plan_cluster.Cluster, grants: Grants) -> Plan:
    try:
        return project.plan(plan_cluster.facts(wishes), grants)
    except EnvironmentFailure:
        if wishes.runtime_class:
            raise
        raise UsageError(
            f"the plan by profile `{project.profile.name}` needs gVisor, and no RuntimeClass of the cluster runs it",
            "name one that does, `--runtime-class NAME`, or accept that the node's kernel is shared, with "
            "`--allow-runc`",
        ) from None


def _with_address(target: Target, plan: Plan, wishes: plan_cluster.Cluster) -> plan_cluster.Cluster:
    """`wishes` with the address of the gateway's Service, which is made where there is none."""
    if plan.egress is None:
        return wishes
    address = _objects.gateway_address(target.cluster, plan, wishes, target.pod)
    return wishes._replace(gateway_address=address)


def _running(
    target: Target,
    plan: Plan,
    wishes: plan_cluster.Cluster,
    is_refreshed: bool,
    say: Callable[[str, bool], None],
) -> Started:
    """The answer where the Pod is there already, whose copy is refreshed where that is asked for.

    :raises SandboxdError: it is not one that can be worked in
    """
    pod = waiting.require_running(target.cluster, target.pod)
    metadata = pod["metadata"]
    record = records.recall(target.environ, target.cluster.context, target.pod)
    if record is None or record.uid != metadata["uid"]:
        raise UsageError(
            f"the Pod `{target.pod}` was started by somebody else, or from another machine",
            "`--name NAME` gives you one of your own",
        )
    planned = _objects.pod_of(_objects.written(plan, _with_address(target, plan, wishes)))
    before = (metadata.get("annotations") or {}).get(_objects.PLAN)
    if before != planned["metadata"]["annotations"][_objects.PLAN]:
        raise UsageError(
            "the sandbox runs by another plan than the one of now",
            f"`sandboxd up{target.option} --recreate` keeps its changes for `review` and makes it anew",
        )
    if plan.egress is not None:
        PodGateway(target).refresh()
    parts = (each.partition(": ") for each in record.not_in_force)
    named = tuple(Downgrade(control, why) for control, _, why in parts)
    node = str(pod["spec"].get("nodeName", ""))
    started = Started(
        "already running",
        target.pod,
        record.uid,
        node,
        plan.profile,
        wishes.runtime_class,
        named,
        (),
        None,
        "",
    )
    if is_refreshed:
        done = refresh.refresh(target, record.uid, lambda text: say(text, True))
        return started._replace(how="refreshed", refreshed=done)
    return started._replace(newer=refresh.newer(target, record))


def _make(
    target: Target,
    plan: Plan,
    wishes: plan_cluster.Cluster,
    must_be_closed: bool,
    say: Callable[[str, bool], None],
    program: Program | None,
) -> Started:
    cluster = target.cluster

    def passing(text: str) -> None:
        say(text, True)

    passing("making the gateway's address")
    wishes = _with_address(target, plan, wishes)
    answered = _names.with_answers(target, plan)
    first = _names.with_rules(answered, program.rules if program is not None else ())
    objects = _objects.written(plan, wishes, first)
    changed = _objects.make(cluster, objects, plan.time_limit or 0, passing)
    gateway = None
    if plan.egress is not None:
        passing("waiting for the gateway")
        labels = {GATEWAY: target.pod}
        gateway = waiting.until_gateway(cluster, f"{target.pod}-gateway", labels, passing)
    passing("waiting for the Pod")
    is_sandbox = wishes.for_controller
    pod = waiting.until_running(cluster, target.pod, passing, of_sandbox=is_sandbox)
    if is_sandbox:
        made_of_it = admission.differences(_objects.pod_of(objects), pod)
        changed += [f"Pod `{target.pod}`: {each}" for each in made_of_it]
    passing("trying the network from inside")
    trial = _network.tried(target, wishes, gateway)
    if trial.outcome == "open" and must_be_closed:
        raise EnvironmentFailure(
            f"the cluster's network enforces no NetworkPolicy, and profile `{plan.profile}` needs it closed: {trial.evidence}",
            "use a cluster whose network enforces them, or a profile for code that you trust",
        )
    if program is not None:
        program.bring(passing)
        objects = _objects.written(plan, wishes, answered)
        if answered.egress is not None:
            passing("closing the way to the program's registry")
            PodGateway(target).push(answered.egress)
    passing("copying the workspace")
    sent = _send.send(target, pod["metadata"]["uid"], passing)
    lost = _losses.not_in_force(plan, wishes, trial)
    if _identity.put(target, plan):
        lost = tuple(each for each in lost if each.control != "git identity")
    record = Record(
        pod["metadata"]["uid"],
        sent.started,
        target.folder,
        sent.manifest.listed,
        [f"{each.control}: {each.why}" for each in lost],
        [*objects, _objects.pod_of(objects)] if is_sandbox else objects,
        sent.manifest.times,
        sorted(sent.manifest.objects),
        sent.head,
    )
    with records.locked(target.environ, cluster.context, target.pod):
        records.note(target.environ, cluster.context, target.pod, record)
    node = str(pod["spec"].get("nodeName", ""))
    problem = _record_start(target, plan, wishes, pod, lost)
    return Started(
        "started",
        target.pod,
        record.uid,
        node,
        plan.profile,
        wishes.runtime_class,
        lost,
        tuple(changed),
        sent,
        problem,
    )


def _record_start(
    target: Target,
    plan: Plan,
    wishes: plan_cluster.Cluster,
    pod: dict[str, Any],
    lost: tuple[Downgrade, ...],
) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    context = target.cluster.context
    return notes.note(
        target.environ,
        "start",
        target.workspace,
        how="started",
        profile=plan.profile,
        cluster=context.name,
        server=context.server,
        namespace=context.namespace,
        runtime=wishes.runtime_class or "the node's default",
        container=str(pod["metadata"]["uid"]),
        image=str(statuses[0].get("imageID") or statuses[0].get("image", "")),
        plan=str((pod["metadata"].get("annotations") or {}).get(_objects.PLAN, "")),
        not_in_force=[each.control for each in lost],
        credentials=[],
    )
