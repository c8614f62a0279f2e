"""A container of a Pod may run as root.

## What it is

`runAsUser: 0`, or neither `runAsNonRoot: true` nor a `runAsUser`: then the image decides, and most images
decide for root.

## Why it is bad

Root inside has all capabilities that the container keeps, owns its files, and is root of the node wherever
something of the node is in reach: the Pod has no user namespace unless `hostUsers: false` says so.

## What to do instead

    securityContext:
      runAsNonRoot: true

Where the image's user is root, also a `runAsUser` that may read what the program needs. It is a hint, since
what the image says is not known here.

## Under gVisor

Root inside is root of gVisor's kernel only; files that are mounted are still written as root.
Not tried on a build.

## References

- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._pods import at_pod, listed
from sandboxd.rules._users import is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-may-run-as-root",
    summary="a container of a Pod may run as root",
    severity=Severity.HINT,
    since="0.1.0",
    why="root inside is root of the node wherever something of the node is in reach",
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    open_to_image: list[str] = []
    for container in subject.containers:
        user, refuses = container.run_as_user, container.run_as_non_root
        if refuses is not None and refuses.value:
            continue
        if user is None:
            open_to_image.append(container.name)
        elif is_root(user.value):
            message = f"`{container.name}` runs as root"
            yield at_value(META, user, message, container.name)
    if open_to_image and subject.is_whole:
        yield at_pod(
            META,
            subject,
            f"nothing keeps {listed(open_to_image)} from running as root: the image decides",
            "runAsNonRoot",
            remedies=(
                Remedy(
                    "refuse images that run as root",
                    safe=False,
                    changes=(Add("securityContext.runAsNonRoot", "true"),),
                    caution="a container whose image says root does not start",
                ),
            ),
        )
