"""The Pod gets a token for the cluster's API.

## What it is

A Pod without `automountServiceAccountToken: false`. Kubernetes mounts a token of its ServiceAccount at
`/var/run/secrets/kubernetes.io/serviceaccount`, whether or not the program inside has a use for it.

## Why it is bad

Whoever runs code inside talks to the API server as that ServiceAccount. What it may do is written
elsewhere, and grows there without anybody looking at this Pod again.

    curl -H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" \
      https://kubernetes.default.svc/api/v1/namespaces/default/secrets

## What to do instead

Switch it off; where the program needs the API, give it a ServiceAccount of its own with few rights.

    spec:
      automountServiceAccountToken: false

It is a hint, since most ServiceAccounts may do nothing; a warning in a Sandbox, which is made to run code
that is not trusted.

## Under gVisor

No difference: the token is a file of the Pod.

## References

- https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
- https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._pods import at_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-token-mounted",
    summary="the Pod gets a token for the cluster's API",
    severity=Severity.WARNING,
    since="0.1.0",
    why="code inside talks to the API server with the rights of the ServiceAccount",
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    value = subject.mounts_token
    severity = Severity.WARNING if subject.for_agents else Severity.HINT
    account = subject.service_account
    name = f"`{account.value}`" if account is not None else "the namespace's default account"
    message = f"code inside can call the cluster's API as {name}"
    if value is None:
        if subject.is_whole:
            remedy = Remedy(
                "mount no token",
                safe=False,
                changes=(Add("automountServiceAccountToken", "false"),),
                caution="programs inside that call the API of the cluster stop working",
            )
            yield at_pod(META, subject, message, "token", severity, (remedy,))
    elif value.value:
        # Who writes it wants it: there is nothing to add that somebody forgot.
        yield at_value(META, value, message, "token", severity)
