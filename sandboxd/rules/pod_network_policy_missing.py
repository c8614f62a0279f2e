"""A Sandbox for agents may connect to everything in its cluster.

## What it is

A `Sandbox` or `SandboxTemplate` of the Kubernetes SIG's agent-sandbox, and no NetworkPolicy in the same file.

## Why it is bad

Without a policy that selects it a Pod reaches every other Pod, the API server, the node's metadata service
and the internet. Code of an agent then needs no way out: it is out.

## What to do instead

Deny all, then allow the names' resolver and the proxy.

    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: agent}
    spec:
      podSelector: {matchLabels: {sandbox: agent}}
      policyTypes: [Ingress, Egress]

A policy counts only where the network of the cluster enforces policies. It is a hint, since the policy
may stand in another file.

## Under gVisor

No difference: the network of the Pod is the cluster's.

## References

- https://kubernetes.io/docs/concepts/services-networking/network-policies/
- https://agent-sandbox.sigs.k8s.io/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Field
from sandboxd.rules._pods import at_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-network-policy-missing",
    summary="a Sandbox for agents may connect to everything in its cluster",
    severity=Severity.HINT,
    since="0.1.0",
    why="other Pods, the API server and the node's metadata are in reach of the agent's code",
    needs=(Field("for_agents"),),
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    if subject.for_agents and subject.is_whole and not subject.has_network_policy:
        yield at_pod(
            META,
            subject,
            f"no NetworkPolicy of this file keeps `{subject.name}` from the other Pods of the cluster",
            "NetworkPolicy",
        )
