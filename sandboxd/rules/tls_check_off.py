"""Certificates are not checked.

## What it is

A variable that makes a tool accept every certificate: `NODE_TLS_REJECT_UNAUTHORIZED=0`,
`GIT_SSL_NO_VERIFY` (with any value, `false` too: Git asks only whether it is there), `PYTHONHTTPSVERIFY=0`,
`NPM_CONFIG_STRICT_SSL=false`, `GOINSECURE`, and others, in a container, in an `ENV` or `ARG` of its Dockerfile,
or in a command. In a `RUN` or a hook also what does the same: `curl -k`, `wget --no-check-certificate`,
`git config http.sslVerify false`, `npm config set strict-ssl false`, `pip --trusted-host`.

## Why it is bad

Whoever is on the way, a hotspot or a proxy, answers for the package registry and for the Git
server, and what they answer runs in the container.

    RUN git config --system http.sslVerify false && git clone https://git.example/tool && make -C tool

A download that is compared with a hash or a signature afterwards is left alone, and so is the loopback.

## What to do instead

Add the certificate of the company's proxy to the image: `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`,
`update-ca-certificates`.

## Under gVisor

No difference.

## References

- https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue
- https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpsslVerify
- https://curl.se/docs/manpage.html#-k
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.container import Container
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field, Mentions
from sandboxd.rules._tls import open_parts, switches_off
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image
    from sandboxd.model.values import Value

# One of these is in every command that `_tls` knows.
_WORDS = (
    "curl",
    "wget",
    "ssl",
    "Ssl",
    "SSL",
    "tls",
    "TLS",
    "trusted-host",
    "TRUSTED_HOST",
    "Verify",
    "INSECURE",
    "VERIFY",
    "unsafely-ignore",
)

META = RuleMeta(
    id="tls-check-off",
    summary="certificates are not checked",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whoever is on the way decides what the container installs",
    needs=(
        Field("env"),
        Field("remote_env"),
        Field("stages"),
        *(Mentions("lifecycle", word) for word in _WORDS),
    ),
)


def check(subject: Container | Image, host: HostFacts) -> Iterator[Finding]:
    if not isinstance(subject, Container):
        yield from _of_image(subject)
        return
    for value in (*subject.env, *subject.remote_env):
        # A variable of a Dockerfile is judged there.
        if value.origin.kind != "dockerfile" and switches_off(*value.value):
            yield _variable(value, value.value.name, value)
    for command in subject.lifecycle:
        for start, end in open_parts(command.value):
            written = " ".join(command.value[start:end].split())
            message = f"`{readable(written)}` in `{command.origin.key}` accepts every certificate"
            yield at_value(META, command, message, written)


def _of_image(image: Image) -> Iterator[Finding]:
    from sandboxd.model.image import pairs

    for instruction in image.instructions("ENV", "ARG"):
        variables = list(pairs(instruction))
        for pair, word in variables:
            is_set = instruction.keyword == "ENV" or "=" in word.value
            if is_set and switches_off(pair.name, pair.value):
                value = image.value(pair.value, word.span, word.value, instruction.keyword)
                is_alone = len(variables) == 1
                change = image.whole(instruction, word.value) if is_alone else value
                yield _variable(value, pair.name, change)
    for instruction in image.instructions("RUN"):
        for script in instruction.scripts():
            for start, end in open_parts(script.text):
                written = " ".join(script.text[start:end].split())
                value = image.value(written, script.span(start, end), written, "RUN")
                message = f"`{readable(written)}` accepts every certificate"
                yield at_value(META, value, message, written)


def _variable(value: Value[Any], name: str, removed: Value[Any]) -> Finding:
    remedy = Remedy(
        "check certificates",
        safe=False,
        changes=(Remove(removed),),
        caution="connections through a proxy with a certificate of its own fail",
    )
    message = f"`{name}` makes the tool accept every certificate"
    return at_value(META, value, message, name, remedies=(remedy,))
