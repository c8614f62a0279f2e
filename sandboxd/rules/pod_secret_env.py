"""A Secret is put into the environment of a program.

## What it is

`valueFrom.secretKeyRef` or `envFrom.secretRef` of a container.

## Why it is bad

Every process that the program starts inherits the variable. It is in `/proc/PID/environ`, in crash
reports, and in whatever prints its environment. A container in which somebody else's code runs gives it away
with one word:

    env

## What to do instead

Mount the Secret as a file that only the program's user reads, or let a proxy beside the Pod add it.

    volumes:
      - name: db
        secret: {secretName: db, defaultMode: 0400}

It is a hint, since it is the usual way; a warning in a Sandbox, which is made to run code that is not
trusted.

## Under gVisor

No difference: the environment is the container's own.

## References

- https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod
- https://kubernetes.io/docs/concepts/security/secrets-good-practices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-secret-env",
    summary="a Secret is put into the environment of a program",
    severity=Severity.WARNING,
    since="0.1.0",
    why="every process inside inherits it, and crash reports show it",
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    severity = Severity.WARNING if subject.for_agents else Severity.HINT
    for container in subject.containers:
        by_name = {value.value: value for value in reversed(container.secret_env)}
        for value in reversed(by_name.values()):
            yield at_value(
                META,
                value,
                f"every process of `{container.name}` has the Secret `{value.value}` in its environment",
                f"{container.name} {value.value}",
                severity,
            )
