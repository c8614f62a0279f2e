"""A Sandbox for agents runs on the node's kernel.

## What it is

A `Sandbox` or `SandboxTemplate` of the Kubernetes SIG's agent-sandbox without `runtimeClassName`.

## Why it is bad

Its name promises more than it does: without a RuntimeClass it is an ordinary Pod, and one fault of the
node's kernel is a way out for the code of the agent.

## What to do instead

Name a RuntimeClass whose handler is gVisor or a small virtual machine.

    spec:
      podTemplate:
        spec:
          runtimeClassName: gvisor

The cluster has to have it: `kubectl get runtimeclass` lists what there is.

## Under gVisor

This is how gVisor is chosen on a cluster.

## References

- https://kubernetes.io/docs/concepts/containers/runtime-class/
- https://agent-sandbox.sigs.k8s.io/
- https://gvisor.dev/docs/user_guide/quick_start/kubernetes/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._needs import Field
from sandboxd.rules._pods import at_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-runtime-class-missing",
    summary="a Sandbox for agents runs on the node's kernel",
    severity=Severity.WARNING,
    since="0.1.0",
    why="one fault of the kernel is a way out for code that is not trusted",
    needs=(Field("for_agents"),),
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    if not subject.for_agents or subject.runtime_class is not None or not subject.is_whole:
        return
    yield at_pod(
        META,
        subject,
        f"the {subject.kind} `{subject.name}` shares the kernel of its node: it names no RuntimeClass",
        "runtimeClassName",
        remedies=(
            Remedy(
                "run it under gVisor",
                safe=False,
                changes=(Add("runtimeClassName", "gvisor"),),
                caution="the cluster must have a RuntimeClass `gvisor`",
            ),
        ),
    )
