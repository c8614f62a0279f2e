"""Computes the fingerprint of an OpenPGP key from the key itself, so that apt trusts exactly the key that was checked.

It only determines which key a file contains; signatures are verified by apt.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re

from sandboxd.errors import EnvironmentFailure

_PUBLIC_KEY, _USER_ID, _SIGNATURE, _SUBKEY, _ATTRIBUTE = 6, 13, 2, 14, 17


def dearmour(text: str) -> bytes:
    """The packets of an ASCII-armoured public key.

    :raises EnvironmentFailure: it is not such a key
    """
    match = re.search(
        r"-----BEGIN PGP PUBLIC KEY BLOCK-----\s*?\n(?:[^\n]+: [^\n]*\n)*\s*\n(.*?)\n=?[\w+/]{0,4}\s*"
        r"-----END PGP PUBLIC KEY BLOCK-----",
        text,
        re.DOTALL,
    )
    if match is not None:
        with contextlib.suppress(ValueError):
            return base64.b64decode("".join(match[1].split()), validate=True)
    raise EnvironmentFailure(
        "what was fetched is no OpenPGP key", "look at it: somebody may stand in between"
    )


def fingerprints(packets: bytes) -> list[str]:
    """The fingerprint of each primary key, in order. Packets that do not belong to a key are refused.

    :raises EnvironmentFailure: the packets are malformed, or not those of public keys
    """
    results = []
    for kind, body in _packets(packets):
        if kind == _PUBLIC_KEY:
            if body[:1] != b"\x04":
                raise EnvironmentFailure("the key is not of version 4", "fetch it again")
            head = b"\x99" + len(body).to_bytes(2, "big")
            results.append(hashlib.sha1(head + body, usedforsecurity=False).hexdigest().upper())
        elif kind not in (_USER_ID, _SIGNATURE, _SUBKEY, _ATTRIBUTE):
            raise EnvironmentFailure(
                f"the key file holds a packet of kind {kind}", "fetch it again"
            )
    return results


def _packets(data: bytes) -> list[tuple[int, bytes]]:
    packets = []
    at = 0
    while at < len(data):
        kind, start, size = _header(data, at)
        body = data[start : start + size]
        if len(body) != size:
            raise EnvironmentFailure("the key file ends in the middle", "fetch it again")
        packets.append((kind, body))
        at = start + size
    return packets


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Kind, start of the body, and size of a packet."""
    tag = data[at]
    if not tag & 0x80:
        raise EnvironmentFailure("the key file holds no OpenPGP packets", "fetch it again")
    rest = data[at + 1 : at + 6]
    if not tag & 0x40:
        width = (1, 2, 4, 0)[tag & 3]
        if not width:
            raise EnvironmentFailure("the key file has a packet without a size", "fetch it again")
        return (tag >> 2) & 15, at + 1 + width, int.from_bytes(rest[:width], "big")
    first = rest[0] if rest else 0
    if first < 192:
        return tag & 63, at + 2, first
    if first < 224:
        return tag & 63, at + 3, ((first - 192) << 8) + int.from_bytes(rest[1:2], "big") + 192
    if first == 255:
        return tag & 63, at + 6, int.from_bytes(rest[1:5], "big")
    raise EnvironmentFailure("the key file has a packet in parts", "fetch it again")
