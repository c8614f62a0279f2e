"""A PodSecurityPolicy admits Pods that take over their node.

## What it is

A PodSecurityPolicy with `privileged: true`, with `allowedCapabilities: ['*']`, or with volumes of the type `hostPath`
(or `*`) and without `allowedHostPaths`.

## Why it is bad

Whoever may use the policy starts a Pod that is the node: a privileged one has its devices, one with any capability
mounts its disks, one with any path of it reads the keys of its kubelet. As the mildest of the policies that somebody
may use decides, a strict one beside it holds nothing back.

    kubectl auth can-i use podsecuritypolicy/privileged --as=system:serviceaccount:default:default

It is a warning: who may use it stands in roles, and those may be in other files.

## What to do instead

Kubernetes has no PodSecurityPolicy from 1.25 on: label each namespace with
`pod-security.kubernetes.io/enforce: baseline` or `restricted`, and give a namespace of its own to what installs the
nodes. On an older cluster: `privileged: false`, the capabilities that are used by name, and volumes without `hostPath`
or with `allowedHostPaths`.

## Under gVisor

A Pod of a RuntimeClass with gVisor has the sandbox's kernel, and the node's files only where they are mounted: with any
`hostPath` they are.
Not tried on a build.

## References

- https://kubernetes.io/docs/concepts/security/pod-security-policy/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field, Has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod_security_policy import PodSecurityPolicy

META = RuleMeta(
    id="pod-security-policy-privileged",
    summary="a PodSecurityPolicy admits Pods that take over their node",
    severity=Severity.WARNING,
    since="0.2.0",
    why="whoever may use the policy reaches the node by a Pod of their own",
    needs=(Field("privileged"), Has("capabilities", "*"), Field("volumes")),
)


def check(subject: PodSecurityPolicy, host: HostFacts) -> Iterator[Finding]:
    evidence = f"PodSecurityPolicy/{subject.name}"
    if subject.privileged is not None and subject.privileged.value:
        message = "`privileged: true` admits Pods that are their node"
        yield at_value(META, subject.privileged, message, f"{evidence} privileged")
        return
    for value in subject.capabilities:
        if value.value == "*":
            message = "`allowedCapabilities` with `*` admits Pods that mount the node's disks"
            yield at_value(META, value, message, f"{evidence} allowedCapabilities")
            break
    for value in subject.volumes:
        if value.value in ("hostPath", "*") and not subject.limits_host_paths:
            message = (
                f"`{value.value}` without `allowedHostPaths` admits Pods with any path of the node"
            )
            yield at_value(META, value, message, f"{evidence} volumes")
            break
