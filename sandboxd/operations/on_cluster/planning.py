"""The plan of a sandbox on a cluster, made with the user's options."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.kubernetes import api, failures, sandboxes
from sandboxd.engine.payload import programs
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.login import login_name
from sandboxd.operations import _basis
from sandboxd.operations.on_cluster import _secrets
from sandboxd.plan import cluster as plan_cluster
from sandboxd.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster.options import ClusterOptions
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Plan


class Planned(NamedTuple):
    """A plan, and the options for the cluster that it was made with."""

    plan: Plan
    wishes: plan_cluster.Cluster
    require_allowed: Callable[[], None] = lambda: None
    """Raises a `UsageError` if what the user allows by now, policy and grants, does not lead to the same plan any more."""


def planned(target: Target, options: ClusterOptions, grants: Grants) -> Planned:
    """The plan for the sandbox of `target`.

    :raises UsageError: the config is not valid or needs a grant, or the cluster lacks something that was asked for
    """
    before = _basis.read(target.environ)
    project = Project.open(target.workspace, target.environ, target.name).with_image(options.image)
    wishes = _wishes(target, options)
    if options.sandbox and not sandboxes.are_there(target.cluster):
        raise UsageError(
            f"the cluster has no agent-sandbox: it does not know `{api.SANDBOX.version}`",
            "leave `--sandbox` out: a Pod does the same; or have https://agent-sandbox.sigs.k8s.io installed",
        )
    plan_again = functools.partial(_plan, project, wishes, grants)
    plan = plan_again()
    allowed = functools.partial(_basis.require_same, before, project, plan, plan_again)
    return Planned(plan, wishes, allowed)


def _wishes(target: Target, options: ClusterOptions) -> plan_cluster.Cluster:
    if options.keeps_secrets:
        _secrets.require_allowed(target.environ)
    name, handler = _runtime_class(target, options.runtime_class)
    return plan_cluster.Cluster(
        image=options.image,
        namespace=target.cluster.context.namespace,
        runtime_class=name,
        handler=handler,
        seccomp_profile=options.seccomp_profile,
        gateway_image=options.gateway_image,
        user=login_name(),
        keeps_secrets=options.keeps_secrets,
        for_controller=options.sandbox,
        runs_hooks=True,
        repository=plan_cluster.repository_elsewhere(target.workspace),
        trial=programs.source_of("network_trial"),
    )


def _runtime_class(target: Target, name: str) -> tuple[str, str]:
    """The RuntimeClass `name` with its handler, or one of gVisor where '' is asked for; '' twice for none.

    :raises UsageError: the cluster has none of that name
    """
    if not name:
        classes = _classes(target)
        pairs = [(str(each["metadata"]["name"]), str(each.get("handler", ""))) for each in classes]
        return plan_cluster.gvisor_class(pairs)
    runtime_class = target.cluster.get(api.RUNTIME_CLASS, name)
    if runtime_class is None:
        names = ", ".join(f"`{each['metadata']['name']}`" for each in _classes(target)) or "none"
        raise UsageError(f"the cluster has no RuntimeClass `{name}`", f"it has {names}")
    return name, str(runtime_class.get("handler", ""))


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
