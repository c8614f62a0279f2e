"""A secret is written into the configuration.

## What it is

A token with a known form (GitHub, GitLab, AWS, Slack, OpenAI, Anthropic, Google, Stripe, npm,
PyPI, a private key) in the environment, in a build argument or in a hook; or a value that looks random
under a name such as `API_KEY` or `TOKEN`, or as the password in a URL. The text that a variable has
where it is not set counts, too: `${TOKEN:-ghp_...}`. Passwords of throw-away databases are hints.

## Why it is bad

The file is in the repository and in everybody's clone, and stays in its history. The dev
container CLI also writes `containerEnv` and `remoteEnv` into a label of the image and of the
container, where `docker inspect` shows them.

## What to do instead

Withdraw the secret first. Then pass it from outside: `${localEnv:NAME}`, the CLI's
`--secrets-file`, `secrets` of Codespaces, or `secrets` of Compose with a file that is not
committed.

No fix is offered: a secret that was written out has to be withdrawn by a person.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/spec/#secrets
- https://docs.github.com/en/code-security/secret-scanning/introduction/about-secret-scanning
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.secret_forms import is_placeholder, literal_token, looks_random, secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Pair
    from sandboxd.model.values import Value

META = RuleMeta(
    id="secret-literal",
    summary="a secret is written into the configuration",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it is in the repository's history, in every clone and in a label of the image",
    needs=(
        Field("env"),
        Field("remote_env"),
        Field("build"),
        Field("lifecycle"),
        Field("host_commands"),
    ),
)


_THROW_AWAY = "is written out: fine for a throw-away service, and for nothing else"
# ``${NAME:-text}`` of Compose and ``${localEnv:NAME:text}``: the text counts where NAME is not set.
_DEFAULT = r"\$\{(?:[A-Za-z_]\w*:?-|(?:localEnv|env):[^:}]*:)([^}$]*)\}"
_IN_URL = r"[a-z][a-z0-9+.-]{1,20}://[^:/@\s]{0,80}:([^@/\s]{1,200})@"


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    arguments = subject.build.value.args if subject.build is not None else ()
    for value in (*subject.env, *subject.remote_env, *arguments):
        name = value.value.name
        judged = _judge(name, _literal(value))
        if judged is not None:
            message, severity = judged
            yield at_value(META, value, f"`{name}` {message}", name, severity)
    for command in (*subject.lifecycle, *subject.host_commands):
        kind = literal_token(command.value)
        if kind:
            message = f"the command holds {kind} that is written out"
            yield at_value(META, command, message, command.origin.key)


def _literal(value: Value[Pair]) -> str:
    """The text of a variable as far as it stands in the file."""
    if "$" not in value.written:
        return value.value.value
    written = re.sub(_DEFAULT, r"\1", value.written)
    return written.removeprefix(f"{value.value.name}=")


def _judge(name: str, text: str) -> tuple[str, Severity] | None:
    """The secret that `text` is or holds, and how bad that is; None for none."""
    kind = literal_token(text)
    if kind:
        return f"holds {kind} that is written out", Severity.ERROR
    in_url = re.search(_IN_URL, text)
    if in_url and "$" not in in_url[1] and not is_placeholder(in_url[1]):
        if looks_random(in_url[1]):
            return "holds a URL with what looks like a real password", Severity.WARNING
        return f"holds a password that {_THROW_AWAY}", Severity.HINT
    if "$" in text or not secret_name(name) or is_placeholder(text):
        return None
    if looks_random(text) and "PASS" not in name.upper():
        return "holds what looks like a real secret", Severity.WARNING
    return (_THROW_AWAY, Severity.HINT) if len(text) >= 6 and not text.isdecimal() else None
