"""Names whose certificate a server showed that could not be verified: a proxy on the way shows its own."""

from __future__ import annotations

import ssl
from typing import Any

_LONGEST = 120


def issuer(tls: Any) -> str:
    """The name of whoever issued the certificate that the server showed, in its own words; '' where it is not known.

    :param tls: the handshake that failed, as the C library of `ssl` knows it (``_sslobj``). The public
        `get_unverified_chain` is in Python 3.13 alone, and needs a parser of certificates.
    """
    try:
        shown = tls.get_unverified_chain()
        fields = {key: value for part in shown[0].get_info()["issuer"] for key, value in part}
    except (AttributeError, TypeError, IndexError, KeyError, ValueError, ssl.SSLError):
        return ""
    words = (fields.get(key, "") for key in ("commonName", "organizationName"))
    return ", ".join(dict.fromkeys(filter(None, map(_printable, words))))


def _printable(text: str) -> str:
    """What a server says, on one line, cut, and without the mark that it is put between."""
    text = "".join(each for each in " ".join(text.split()) if each.isprintable() and each != "`")
    return text[:_LONGEST]


class NamingSocket(ssl.SSLSocket):
    """A socket whose errors of verification say by `issuer` whose certificate it was."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            error.issuer = issuer(self._sslobj)  # type: ignore[attr-defined]
            raise


def naming(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have the sockets of `context` be such; returns it."""
    context.sslsocket_class = NamingSocket
    return context
