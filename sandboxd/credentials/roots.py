"""The CA certificates that this machine trusts: the gateway verifies a server by them before it sends a secret."""

from __future__ import annotations

import os
import re
import ssl
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_VARIABLE = "SSL_CERT_FILE"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def pem(environ: Mapping[str, str]) -> str:
    """The CA certificates in PEM, without other content of the file.

    :param environ: `SSL_CERT_FILE` in it replaces the machine's own file
    :raises EnvironmentFailure: there are no certificates
    """
    path = _path(environ)
    why = "no file of them is where systems have it"
    if path:
        try:
            blocks = _CERTIFICATE.findall(read_bytes(path))
        except UnreadableError as error:
            blocks, why = [], f"`{path}` {error.message}"
        else:
            why = f"`{path}` holds none"
        if blocks:
            return b"\n".join(blocks).decode("ascii") + "\n"
    raise EnvironmentFailure(
        f"the authorities that this machine trusts are not known: {why}",
        f"install `ca-certificates`, or set {_VARIABLE} to a file of them",
    )


def _path(environ: Mapping[str, str]) -> str:
    if environ.get(_VARIABLE):
        return environ[_VARIABLE]
    known = (ssl.get_default_verify_paths().cafile or "", *_USUAL)
    return next((path for path in known if os.path.isfile(path)), "")
