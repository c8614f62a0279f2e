"""The CA certificates that this machine trusts, and those of the policy's `network_ca`: the gateway verifies a server
by them before it sends a secret.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes
from sandboxd.policy import floor, network_ca

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_VARIABLE = "SSL_CERT_FILE"


def pem(environ: Mapping[str, str]) -> str:
    """The CA certificates in PEM, without other content of their files.

    :param environ: `SSL_CERT_FILE` in it replaces the machine's own file
    :raises EnvironmentFailure: the machine has no certificates
    :raises UsageError: the policy, or a file that its `network_ca` names, cannot be read
    """
    of_network = network_ca.certificates(floor.load(environ).network_ca)
    return "\n".join(dict.fromkeys((*_of_machine(environ), *of_network))) + "\n"


def _of_machine(environ: Mapping[str, str]) -> list[str]:
    path = _path(environ)
    why = "no file of them is where systems have it"
    if path:
        try:
            blocks = network_ca.blocks_in(read_bytes(path))
        except UnreadableError as error:
            why = f"`{path}` {error.message}"
        else:
            if blocks:
                return blocks
            why = f"`{path}` holds none"
    raise EnvironmentFailure(
        f"the authorities that this machine trusts are not known: {why}",
        f"install `ca-certificates`, or set {_VARIABLE} to a file of them",
    )


def _path(environ: Mapping[str, str]) -> str:
    if environ.get(_VARIABLE):
        return environ[_VARIABLE]
    known = (ssl.get_default_verify_paths().cafile or "", *_USUAL)
    return next((path for path in known if os.path.isfile(path)), "")
