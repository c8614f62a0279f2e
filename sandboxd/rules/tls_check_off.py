"""Certificates are not checked.

## What it is

A variable that makes a tool accept every certificate: `NODE_TLS_REJECT_UNAUTHORIZED=0`,
`GIT_SSL_NO_VERIFY`, `PYTHONHTTPSVERIFY=0`, `NPM_CONFIG_STRICT_SSL=false`, `GOINSECURE`, and
others.

## Why it is bad

Whoever is on the way, a hotspot or a proxy, answers for the package registry and for the Git
server, and what they answer runs in the container.

## What to do instead

Add the certificate of the company's proxy to the image: `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`,
`update-ca-certificates`.

## Under gVisor

No difference.

## References

- https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="tls-check-off",
    summary="certificates are not checked",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whoever is on the way decides what the container installs",
    needs=(Field("env"), Field("remote_env")),
)


_OFF = {
    "NODE_TLS_REJECT_UNAUTHORIZED": ("0",),
    "PYTHONHTTPSVERIFY": ("0",),
    "GIT_SSL_NO_VERIFY": ("1", "true", "yes", "on"),
    "NPM_CONFIG_STRICT_SSL": ("false", "0"),
    "YARN_ENABLE_STRICT_SSL": ("false", "0"),
    "YARN_STRICT_SSL": ("false", "0"),
    "CURL_INSECURE": ("1", "true"),
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.env, *subject.remote_env):
        name, text = value.value
        if text.strip().lower() not in _OFF.get(name.upper(), ()):
            continue
        yield at_value(
            META,
            value,
            f"`{name}` makes the tool accept every certificate",
            name,
            remedies=(
                Remedy(
                    "check certificates",
                    safe=False,
                    changes=(Remove(value),),
                    caution="connections through a proxy with a certificate of its own fail",
                ),
            ),
        )
