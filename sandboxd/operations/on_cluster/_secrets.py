"""Secrets for a sandbox on a cluster: refused, or sent to its gateway if the user says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.audit import notes
from sandboxd.credentials import uses
from sandboxd.errors import UsageError
from sandboxd.operations import _credentials, recording
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.policy import clusters
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.plan.plan import Plan


def require_none(required: Iterable[object], environ: Mapping[str, str]) -> None:
    """Refuse a start on a cluster if it requires a credential.

    :param required: the names of the required credentials
    :raises UsageError: there is one
    """
    for name in required:
        demands = in_force(environ)
        otherwise = "or, for an agent, accept that by `--secrets-on-cluster`"
        if demands.no_cluster_secrets:
            otherwise = f"`{demands.path_of('cluster_secrets')}` lets no secret go to a cluster"
        raise UsageError(
            f"the credential `{name}` is required, and a gateway on a cluster is given no secret: whoever may run "
            "commands in Pods of its namespace would have it",
            f"run it on this machine: leave `--on` out; {otherwise}",
        )


def require_allowed(environ: Mapping[str, str]) -> None:
    """Refuse to send secrets to a cluster if the policy minimum forbids it.

    :raises UsageError: it does
    """
    clusters.require_secrets_allowed(in_force(environ))


def give(target: Target, plan: Plan) -> None:
    """Send the secrets that `plan` names to the gateway of `target`, which keeps them in memory; no object holds them.

    :raises UsageError: the policy minimum forbids it
    :raises RecordFailure: it cannot be recorded in the audit record; then none is sent
    :raises EnvironmentFailure: a secret cannot be read, or the gateway does not accept them
    """
    require_allowed(target.environ)
    resolved = _credentials.resolve(plan, target.environ)
    if resolved is None:
        return
    context = target.cluster.context
    notes.require(
        target.environ,
        "weakened",
        target.workspace,
        **recording.name_fact(target.sandbox),
        by_option="--secrets-on-cluster",
        cluster=context.name,
        server=context.server,
        namespace=context.namespace,
        credentials=[str(use.name) for use in plan.credentials],
    )
    PodGateway(target).give(resolved.credentials)


def variables(plan: Plan, pod: Mapping[str, Any]) -> list[str]:
    """Variables, ``NAME=value``, that make tools in the Pod use the gateway for credentials; they hold no secret."""
    (container,) = pod["spec"]["containers"][:1]
    present = [f"{each['name']}={each.get('value', '')}" for each in container.get("env") or ()]
    return uses.environment(plan.credentials, plan.workspace, present)
