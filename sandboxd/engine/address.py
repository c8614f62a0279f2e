"""The parts of an engine's address, as DOCKER_HOST has them."""

from __future__ import annotations

from typing import NamedTuple

SCHEMES = ("unix", "tcp", "http", "https", "ssh")

_PORTS = {"tcp": 2375, "http": 2375, "https": 2376}


class AddressError(ValueError):
    """The address is of a kind that cannot be spoken to from here."""


class Address(NamedTuple):
    """`unix` has a path only; the others have a name, and ssh may have all."""

    scheme: str
    name: str = ""
    port: int | None = None
    user: str = ""
    path: str = ""

    def url(self, tls: bool) -> str:
        """The base of the URLs of an engine that is reached by the network."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        secure = tls or self.scheme == "https"
        port = self.port or _PORTS["https" if secure else self.scheme]
        return f"{'https' if secure else 'http'}://{name}:{port}"


def parse(host: str) -> Address:
    """The address that a DOCKER_HOST value means.

    :raises AddressError: it is of a kind that cannot be spoken to, or broken
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
