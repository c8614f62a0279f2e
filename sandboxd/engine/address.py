"""Parses the address of an engine, as DOCKER_HOST has it."""

from __future__ import annotations

from typing import NamedTuple

SCHEMES = ("unix", "tcp", "http", "https", "ssh")

_PORTS = {"tcp": 2375, "http": 2375, "https": 2376}


class AddressError(ValueError):
    """The address is malformed, or of a kind that cannot be connected to from here."""


class Address(NamedTuple):
    """The address of an engine; '' and None for parts that it does not have.

    A `unix` address has only a path; the others have a host name in `name`, and an ssh address may have every part.
    """

    scheme: str
    name: str = ""
    port: int | None = None
    user: str = ""
    path: str = ""

    def url(self, tls: bool) -> str:
        """The base URL of an engine that is reached over TCP."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        secure = tls or self.scheme == "https"
        port = self.port or _PORTS["https" if secure else self.scheme]
        return f"{'https' if secure else 'http'}://{name}:{port}"


def parse(host: str) -> Address:
    """The address in a DOCKER_HOST value.

    :raises AddressError: it is malformed, or of a kind that cannot be connected to
    """
    scheme, mark, rest = host.partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in SCHEMES:
        raise AddressError(host)
    if scheme == "unix":
        return Address(scheme, path=rest)
    place, slash, path = rest.partition("/")
    user, _, name = place.rpartition("@")
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise AddressError(host)
    if scheme == "ssh":
        if not name or name.startswith("-") or user.startswith("-") or ":" in user:
            raise AddressError(host)
        path = f"{slash}{path}" if path else ""
    return Address(scheme, name or "localhost", int(port) if port else None, user, path)
