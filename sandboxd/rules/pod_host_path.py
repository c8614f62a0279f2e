"""A path of the node is mounted into a Pod.

## What it is

A volume with `hostPath`. The engine's socket, system directories and keys have rules of their own
beside this one.

## Why it is bad

What is written there outlives the Pod, and the next Pod or a program of the node reads it. Who may create such
a Pod reads and writes the node by changing one line; Pod Security forbids it from `baseline` on.

## What to do instead

Take a PersistentVolumeClaim, an `emptyDir`, or a `local` volume that an administrator has made.

## Under gVisor

The files come by way of the gofer, and are those of the node all the same.

## References

- https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
- https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-host-path",
    summary="a path of the node is mounted into a Pod",
    severity=Severity.HINT,
    since="0.1.0",
    why="what is written there outlives the Pod, and others of the node read it",
    needs=(Field("host_paths"),),
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    for value in subject.host_paths:
        yield at_value(
            META,
            value,
            f"`{value.written}` is a path of the node: what is written there outlives the Pod",
            value.value,
        )
