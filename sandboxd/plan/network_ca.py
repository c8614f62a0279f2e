"""The CA certificates of a network whose proxy opens TLS, as programs inside are told of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sandboxd.model.container import Mount, Pair
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes

FOLDER = "/sandboxd/network-ca"
BUNDLE, OWN, JAVA = f"{FOLDER}/bundle.pem", f"{FOLDER}/own.pem", f"{FOLDER}/java.jks"
"""Files inside: all certificates that are to be trusted, those of the network alone, and all as Java reads them."""

JAVA_OPTIONS = "JAVA_TOOL_OPTIONS"
VARIABLES = {
    # Programs with OpenSSL or Go's own TLS, among them wget and curl of most distributions, and uv.
    "SSL_CERT_FILE": BUNDLE,
    "CURL_CA_BUNDLE": BUNDLE,
    "REQUESTS_CA_BUNDLE": BUNDLE,
    "PIP_CERT": BUNDLE,
    "GIT_SSL_CAINFO": BUNDLE,
    "CARGO_HTTP_CAINFO": BUNDLE,
    # Node adds these to its own.
    "NODE_EXTRA_CA_CERTS": OWN,
    JAVA_OPTIONS: f"-Djavax.net.ssl.trustStore={JAVA} -Djavax.net.ssl.trustStoreType=JKS",
}
"""The variables by which tools find them."""


class NetworkCa(NamedTuple):
    """The files on this machine that are mounted at `BUNDLE`, `OWN` and `JAVA`; their paths depend on their content."""

    bundle: str
    own: str
    java: str

    def digest(self) -> str:
        """Eight hexadecimal digits that are others for other files."""
        return hashlib.sha256("\0".join(self).encode()).hexdigest()[:8]


def mounts(files: NetworkCa | None, notes: Notes) -> tuple[Value[Mount], ...]:
    """The read-only mounts of `files`."""
    if files is None:
        return ()
    why = "the certificates by which programs inside verify servers, by `network_ca` of the policy"
    return tuple(
        notes.value(
            "mounts", Mount("bind", source, target, read_only=True), f"{target} (read-only)", why,
            "floor",
        )
        for source, target in zip(files, (BUNDLE, OWN, JAVA), strict=True)
    )  # fmt: skip


def with_variables(
    env: tuple[Value[Pair], ...], files: NetworkCa | None, notes: Notes
) -> tuple[Value[Pair], ...]:
    """`env` with the variables that name `files`, except those that the project sets itself.

    Options for Java are put before the project's own, of which the later ones count.
    """
    if files is None:
        return env
    present = {value.value.name: value for value in env}
    for name, value in VARIABLES.items():
        why = "names the certificates of `network_ca`"
        if name == JAVA_OPTIONS and name in present:
            value, why = (
                f"{value} {present[name].value.value}",
                f"{why}, then your config's options",
            )
        elif name in present:
            notes.reason("env", f"not {name}", "your config sets it itself", "config")
            continue
        present[name] = notes.value("env", Pair(name, value), name, why, "floor")
    return tuple(present.values())


def without(lines: Iterable[str]) -> list[str]:
    """The variables `lines`, ``NAME=value`` each, without what `with_variables` adds to those of a project."""
    rest = []
    for line in lines:
        name, _, value = line.partition("=")
        ours = VARIABLES.get(name)
        if ours is None or not f"{value} ".startswith(f"{ours} "):
            rest.append(line)
        elif value != ours:
            rest.append(f"{name}={value.removeprefix(f'{ours} ')}")
    return rest
