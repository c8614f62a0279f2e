"""A PodSecurityPolicy admits Pods that take over their node.

## What it is

A PodSecurityPolicy with `privileged: true`, with `*`, `ALL` or a capability that alone leads to the node in
`allowedCapabilities` (`DAC_READ_SEARCH`, `SYS_ADMIN`, `SYS_MODULE`, `SYS_RAWIO`) or in `defaultAddCapabilities`, which
each container gets, or with volumes of the type
`hostPath` (or `*`) and without `allowedHostPaths`, or with `pathPrefix: /` among these without `readOnly: true`.
OpenShift's SecurityContextConstraints say the same by `allowPrivilegedContainer: true`, the same lists of capabilities,
and `allowHostDirVolumePlugin: true`.

## Why it is bad

Whoever may use the policy starts a Pod that is the node: a privileged one has its devices, one with any capability
mounts its disks, one with any path of it reads the keys of its kubelet. As the mildest of the policies that somebody
may use decides, a strict one beside it holds nothing back.

    kubectl auth can-i use podsecuritypolicy/privileged --as=system:serviceaccount:default:default

It is a warning: who may use it stands in roles, and those may be in other files.

## What to do instead

Kubernetes has no PodSecurityPolicy from 1.25 on: label each namespace with
`pod-security.kubernetes.io/enforce: baseline` or `restricted`, and give a namespace of its own to what installs the
nodes. On an older cluster: `privileged: false`, by name the capabilities that are used and none of those above, and
volumes without `hostPath` or with `allowedHostPaths` that name folders. On OpenShift the constraints `restricted-v2`,
and others for one ServiceAccount, not for a group.

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
from sandboxd.rules._capabilities import OF_THE_HOST
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod_security_policy import PodSecurityPolicy
    from sandboxd.model.values import Value

META = RuleMeta(
    id="pod-security-policy-privileged",
    summary="a PodSecurityPolicy admits Pods that take over their node",
    severity=Severity.WARNING,
    since="0.2.0",
    why="whoever may use the policy reaches the node by a Pod of their own",
    needs=(
        Field("privileged"),
        Field("capabilities"),
        Field("default_capabilities"),
        Field("volumes"),
        Field("any_host_path"),
    ),
)

_ANY = ("*", "ALL")


def check(subject: PodSecurityPolicy, host: HostFacts) -> Iterator[Finding]:
    evidence = f"{subject.kind}/{subject.name}"
    if subject.privileged is not None and subject.privileged.value:
        message = f"`{subject.privileged.origin.key}: true` admits Pods that are their node"
        yield at_value(META, subject.privileged, message, f"{evidence} privileged")
        return
    yield from _capabilities(
        subject.capabilities, "allowedCapabilities", "admits Pods that mount", evidence
    )
    yield from _capabilities(
        subject.default_capabilities, "defaultAddCapabilities", "lets each Pod mount", evidence
    )
    if subject.any_host_path is not None and subject.any_host_path.value:
        message = "`allowHostDirVolumePlugin: true` admits Pods with any path of the node"
        yield at_value(META, subject.any_host_path, message, f"{evidence} allowHostDirVolumePlugin")
    for value in subject.volumes:
        if value.value in ("hostPath", "*"):
            yield from _host_paths(subject, value, evidence)
            break


def _capabilities(
    capabilities: tuple[Value[str], ...], key: str, what: str, policy: str
) -> Iterator[Finding]:
    for value in capabilities:
        if value.value in _ANY:
            message = f"`{key}` with `{value.written}` {what} the node's disks"
            yield at_value(META, value, message, f"{policy} {key}")
            return
    for value in capabilities:
        if value.value in OF_THE_HOST:
            message = f"`{value.written}` in `{key}` {OF_THE_HOST[value.value]}"
            yield at_value(META, value, message, f"{policy} {key} {value.value}")


def _host_paths(subject: PodSecurityPolicy, volume: Value[str], evidence: str) -> Iterator[Finding]:
    if not subject.host_paths and subject.is_whole:
        message = (
            f"`{volume.value}` without `allowedHostPaths` admits Pods with any path of the node"
        )
        yield at_value(META, volume, message, f"{evidence} volumes")
    for value in subject.host_paths:
        if not value.value.prefix.strip("/") and not value.value.read_only:
            message = (
                f"`{value.written}` in `allowedHostPaths` admits Pods with any path of the node"
            )
            yield at_value(META, value, message, f"{evidence} allowedHostPaths")
            break
