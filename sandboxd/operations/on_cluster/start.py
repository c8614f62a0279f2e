"""Start a project's sandbox on a cluster: objects, a wait, a trial of the network, then the workspace's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.audit import notes
from sandboxd.cluster import api, failures, records, running, waiting
from sandboxd.cluster.network_trial import Trial, try_network
from sandboxd.cluster.records import Record
from sandboxd.egress import layout
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.host.login import login_name
from sandboxd.model.labels import GATEWAY
from sandboxd.operations import recording
from sandboxd.operations.on_cluster import _identity, _names, _objects, _secrets, _send, stop
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.plan import cluster as plan_cluster
from sandboxd.plan import profiles
from sandboxd.plan.plan import Downgrade
from sandboxd.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxd.operations.on_cluster._install import Program
    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Plan

GATEWAY_IMAGE = "python:3-slim"
"""Where the user names none: any image with Python 3.11 or later does."""


class Options(NamedTuple):
    """What the user says of the start, '' for what is not said."""

    image: str = ""
    runtime_class: str = ""
    gateway_image: str = ""
    seccomp_profile: str = ""
    recreate: bool = False
    keeps_secrets: bool = False
    """The gateway is given the secrets that the plan names."""


class Started(NamedTuple):
    """`how` is ``started`` or ``already running``; `sent` is None where nothing had to be."""

    how: str
    pod: str
    node: str
    profile: str
    runtime_class: str
    not_in_force: tuple[Downgrade, ...]
    changed: tuple[str, ...]
    """What the cluster made of our objects that we did not write."""
    sent: _send.Sent | None
    problem: str
    """Why the start is not recorded, '' where it is."""


def start(
    target: Target,
    options: Options,
    grants: Grants,
    say: Callable[[str, bool], None],
    program: Program | None = None,
) -> Started:
    """Start the sandbox of `target`, or leave it alone where it runs as planned.

    Nothing is left of a start that fails.

    :param say: hears of each step (text, whether it passes)
    :param program: brought into a new Pod before any file of the workspace
    :raises SandboxdError: it cannot be started
    """
    cluster = target.cluster
    project = Project.open(target.workspace, target.environ, target.name)
    wishes = _wishes(target, options)
    plan = _plan(project, wishes, grants)
    if not options.keeps_secrets:
        _secrets.require_none(use.name for use in plan.credentials if use.is_required)
    profile = profiles.load(plan.profile)
    present = cluster.get(api.POD, target.pod)
    if present is not None and options.recreate:
        stop.stop(target, discard=False, say=lambda text: say(text, False))
        present = None
    if grants.allow_runc:
        recording.before_weak_start(target.environ, target.workspace)
    if present is not None:
        return _running(target, plan, wishes)
    try:
        return _make(target, plan, wishes, profile.gvisor == "required", say, program)
    except BaseException:
        say("taking away what was made", True)
        _take_away_quietly(target)
        raise


def planned(target: Target, options: Options, grants: Grants) -> Plan:
    """The plan by which `start` would start it.

    :raises SandboxdError: as `start`
    """
    project = Project.open(target.workspace, target.environ, target.name)
    return _plan(project, _wishes(target, options), grants)


def _take_away_quietly(target: Target) -> None:
    """What is left of a failed start, as far as the cluster can be reached; the failure itself is told."""
    try:
        _objects.take_away(target.cluster, target.pod)
    except SandboxdError:
        return


def _wishes(target: Target, options: Options) -> plan_cluster.Cluster:
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


def _running(target: Target, plan: Plan, wishes: plan_cluster.Cluster) -> Started:
    """The answer where the Pod is there already.

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
    planned = _objects.written(plan, _with_address(target, plan, wishes))[-1]
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
    return Started(
        "already running", target.pod, node, plan.profile, wishes.runtime_class, named, (), None, ""
    )


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
    changed = _objects.make(cluster, objects, passing)
    gateway = None
    if plan.egress is not None:
        passing("waiting for the gateway")
        labels = {GATEWAY: target.pod}
        gateway = waiting.until_gateway(cluster, f"{target.pod}-gateway", labels, passing)
    passing("waiting for the Pod")
    pod = waiting.until_running(cluster, target.pod, passing)
    passing("trying the network from inside")
    trial = _try(target, wishes, gateway)
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
    sent = _send.send(target, passing)
    lost = _not_in_force(plan, wishes, trial)
    if _identity.put(target, plan):
        lost = tuple(each for each in lost if each.control != "git identity")
    record = Record(
        pod["metadata"]["uid"],
        sent.started,
        target.folder,
        sent.listed,
        [f"{each.control}: {each.why}" for each in lost],
        objects,
    )
    records.note(target.environ, cluster.context, target.pod, record)
    node = str(pod["spec"].get("nodeName", ""))
    problem = _record_start(target, plan, wishes, pod, lost)
    return Started(
        "started",
        target.pod,
        node,
        plan.profile,
        wishes.runtime_class,
        lost,
        tuple(changed),
        sent,
        problem,
    )


def _try(target: Target, wishes: plan_cluster.Cluster, gateway: dict[str, Any] | None) -> Trial:
    """Try whether policies hold; without a gateway the API server itself is what must not be reached."""
    if gateway is not None:
        address = str((gateway.get("status") or {}).get("podIP", ""))
        works = (wishes.gateway_address, layout.PROXY_PORT)
        return try_network(target.cluster, target.pod, [(address, layout.PROBE_PORT)], works)
    server = '[ -n "$KUBERNETES_SERVICE_HOST" ] && echo "$KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT"'
    _, output = running.quietly(target.cluster, target.pod, ["sh", "-c", server])
    words = output.split()
    if len(words) == 2 and words[1].isdecimal():
        return try_network(target.cluster, target.pod, [(words[0], int(words[1]))], None)
    return try_network(target.cluster, target.pod, _api_server(target), None)


def _api_server(target: Target) -> list[tuple[str, int]]:
    """The API server's address inside the cluster, where the user may know it."""
    try:
        service = target.cluster.get(api.SERVICE, "kubernetes", "default")
    except failures.Refused:
        return []
    spec = (service or {}).get("spec") or {}
    ports = [int(each["port"]) for each in spec.get("ports") or () if "port" in each]
    return [(str(spec["clusterIP"]), ports[0])] if ports and spec.get("clusterIP") else []


def _not_in_force(plan: Plan, wishes: plan_cluster.Cluster, trial: Trial) -> tuple[Downgrade, ...]:
    """What of the plan does not hold on this cluster, after what was tried."""
    others = [
        each
        for each in plan_cluster.downgrades(plan, wishes)
        if each.control not in ("network", "workspace")
    ]
    network: list[Downgrade] = []
    if trial.outcome == "open":
        why = f"the cluster enforces no NetworkPolicy, so all that its network has is open: {trial.evidence}"
        network = [Downgrade("network", why, "use a cluster whose network enforces them")]
    elif trial.outcome == "not checked":
        why = f"whether the cluster enforces NetworkPolicies was not checked: {trial.evidence}"
        network = [Downgrade("network", why)]
    workspace = Downgrade(
        "workspace",
        "a private copy in a volume of the Pod: an eviction, the loss of its node and the time limit take it along, "
        "and no file in it is read-only",
        "bring the work from time to time: `sandboxd review` with the same `--on`",
    )
    return (*network, workspace, *others)


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
