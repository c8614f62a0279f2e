"""A secret is written into the image.

## What it is

A token or a password as the value of `ARG` or `ENV`, or a file with secrets that `COPY` or `ADD` puts
into the image.

## Why it is bad

Everything that a Dockerfile says stays in the image's history, also when a later step deletes it.
Whoever can pull the image reads it:

    docker history --no-trunc my-image

## What to do instead

`RUN --mount=type=secret,id=npm_token npm ci`: the secret is there for one step and in no layer.
Take a secret that was already in a repository back; removing the line does not do that.

A token with a known form is an error. Another value that looks made by a machine is a warning, one
that looks made up (the password of a database for development) a hint, as is an `ARG` with the name
of a secret, whose value stays in the history as well.

## Under gVisor

No difference: the image is read outside.

## References

- https://docs.docker.com/build/building/secrets/
- https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.image import pairs
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.secret_forms import literal_token, looks_random, secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-secret",
    summary="a secret is written into the image",
    severity=Severity.ERROR,
    since="0.1.0",
    why="whoever can pull the image reads it in the history of its layers",
    needs=(Field("stages"),),
)

_FILES = (
    ".env",
    ".env.local",
    ".env.production",
    ".env.production.local",
    ".env.prod",
    ".env.staging",
    ".env.secrets",
    ".env*",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".netrc",
    ".pypirc",
    ".git-credentials",
    ".pgpass",
    ".vault-token",
    ".my.cnf",
    ".s3cfg",
    "kubeconfig",
    "application_default_credentials.json",
    "service-account.json",
    "service_account.json",
    "serviceAccountKey.json",
    "master.key",
    "server.key",
    "tls.key",
    "private.key",
    "private.pem",
    "privkey.pem",
    "terraform.tfstate",
)
# Where the name alone says nothing.
_PATHS = (".aws/credentials", ".kube/config", ".docker/config.json", ".m2/settings-security.xml")
_FOLDERS = (".aws", ".ssh", ".kube", ".gnupg", ".azure")
_ENDS = tuple(f"/{path}" for path in _PATHS)


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("ARG", "ENV"):
        for pair, word in pairs(instruction):
            severity = _severity(pair.name, pair.value, instruction.keyword)
            if severity is not None:
                # The value itself must not get into anybody's log.
                value = subject.value(pair.name, word.span, pair.name, instruction.keyword)
                message = f"`{pair.name}` stays readable in the history of the image"
                yield at_value(META, value, message, pair.name, severity)
    for instruction in subject.instructions("COPY", "ADD"):
        if next(instruction.flag("from"), None) is not None:
            continue
        for word in instruction.words()[:-1]:
            path = word.value.rstrip("/")
            name = path.rpartition("/")[2]
            if name in _FILES or name in _FOLDERS or f"/{path}".endswith(_ENDS):
                value = subject.value(name, word.span, word.value, instruction.keyword)
                message = f"`{word.value}` puts secrets into a layer of the image"
                yield at_value(META, value, message, name, Severity.WARNING)


def _severity(name: str, value: str, keyword: str) -> Severity | None:
    if literal_token(value):
        return Severity.ERROR
    if not secret_name(name) or value.startswith("$"):
        return None
    if not value:
        return Severity.HINT if keyword == "ARG" else None
    return Severity.WARNING if looks_random(value) else Severity.HINT
