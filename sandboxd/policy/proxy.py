"""The company's proxy that a policy names. As everybody can read a policy, the credentials are kept elsewhere."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandboxd.egress.names import NotAName, Pattern, normal, pattern
from sandboxd.egress.policy import Upstream
from sandboxd.policy.proxy_credentials import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable


class NotAProxy(ValueError):
    """The text names no usable proxy; the message is a clause to put behind "`TEXT`"."""


def upstream(text: str, excepted: Iterable[str] = ()) -> Upstream:
    """Parse the address of a proxy, ``http://HOST:PORT``.

    :param excepted: hosts and wildcards to which the gateway connects without the proxy
    :raises NotAProxy: it is not a valid address, or an exception is not a host
    """
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise NotAProxy("is no URL") from None
    if url.username is not None or "@" in text:
        raise NotAProxy(
            f"holds credentials: put `user:password` into `{FILE_NAME}` of your config folder"
        )
    if url.scheme != "http" or url.path not in ("", "/") or url.query or url.fragment:
        raise NotAProxy("is not of the form `http://HOST:PORT`")
    if not port:
        raise NotAProxy("names no port")
    return Upstream(_host(url.hostname or ""), port, direct=tuple(_exceptions(excepted)))


def _host(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if address.is_loopback or address.is_unspecified:
            raise NotAProxy(
                "is on this machine's loopback, which no container reaches: have it listen on an address "
                "that containers reach, and name that"
            )
        return str(address)
    try:
        return normal(host)
    except NotAName as error:
        raise NotAProxy(f"names a host that is {error}") from None


def _exceptions(texts: Iterable[str]) -> Iterable[Pattern]:
    for text in texts:
        try:
            yield pattern(text)
        except NotAName as error:
            raise NotAProxy(f"has the exception `{text}`, which is {error}") from None
