"""A secret is written into the configuration.

## What it is

A token with a known form (GitHub, GitLab, AWS, Slack, OpenAI, Anthropic, Google, Stripe, npm,
PyPI, a private key) in the environment, in a build argument or in a Feature's option; or a value
that looks random under a name such as `API_KEY` or `TOKEN`. Passwords of throw-away databases
are hints.

## Why it is bad

The file is in the repository and in everybody's clone, and stays in its history. The dev
container CLI also writes `containerEnv` and `remoteEnv` into a label of the image and of the
container, where `docker inspect` shows them.

## What to do instead

Withdraw the secret first. Then pass it from outside: `${localEnv:NAME}`, the CLI's
`--secrets-file`, `secrets` of Codespaces, or `secrets` of Compose with a file that is not
committed.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/spec/#secrets
- https://docs.github.com/en/code-security/secret-scanning/introduction/about-secret-scanning
"""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._secrets import is_placeholder, literal_token, looks_random, secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="secret-literal",
    summary="a secret is written into the configuration",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it is in the repository's history, in every clone and in a label of the image",
    needs=("env", "remote_env"),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.env, *subject.remote_env):
        name, text = value.value
        if "${" in value.written or not text:
            continue
        kind = literal_token(text)
        if kind:
            message = f"`{name}` holds a {kind} that is written out"
            yield at_value(META, value, message, name)
        elif not secret_name(name) or is_placeholder(text):
            continue
        elif looks_random(text) and "PASS" not in name.upper():
            message = f"`{name}` holds what looks like a real secret"
            yield at_value(META, value, message, name, Severity.WARNING)
        elif len(text) >= 6 and not text.isdecimal():
            message = (
                f"`{name}` is written out: fine for a throw-away service, and for nothing else"
            )
            yield at_value(META, value, message, name, Severity.HINT)
