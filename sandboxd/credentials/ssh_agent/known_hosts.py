"""Reads the host keys that the user's `ssh` knows from its files (sshd(8), SSH_KNOWN_HOSTS)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from sandboxd.errors import UnreadableError
from sandboxd.files import decode, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_HASHED = "|1|"


def keys_of(host: str, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The known keys of `host`, which may be ``HOST:PORT``; () if none is known.

    Revoked keys and certificate authorities are left out: which keys an authority signed cannot be seen in the file.
    """
    name, _, port = host.partition(":")
    wanted = f"[{name}]:{port}" if port not in ("", "22") else name
    listed: dict[bytes, None] = {}
    revoked: set[bytes] = set()
    for line in _lines(environ):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#"):
            continue
        try:
            key = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        if marker == "@revoked":
            revoked.add(key)
        elif not marker and _matches(fields[0], wanted.lower()):
            listed[key] = None
    return tuple(key for key in listed if key not in revoked)


def _lines(environ: Mapping[str, str]) -> list[str]:
    folder = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".ssh")
    lines: list[str] = []
    for path in (
        os.path.join(folder, "known_hosts"),
        os.path.join(folder, "known_hosts2"),
        "/etc/ssh/ssh_known_hosts",
    ):
        try:
            lines += decode(read_bytes(path)).splitlines()
        except UnreadableError:
            continue
    return lines


def _matches(patterns: str, host: str) -> bool:
    if patterns.startswith(_HASHED):
        try:
            salt, wanted = map(base64.b64decode, patterns[len(_HASHED) :].split("|"))
        except ValueError:
            return False
        digest = hmac.new(salt, host.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(digest, wanted)
    matches = False
    for pattern in patterns.lower().split(","):
        # Brackets are no wildcard there.
        is_meant = fnmatch.fnmatchcase(host, pattern.removeprefix("!").replace("[", "[[]"))
        if is_meant and pattern.startswith("!"):
            return False
        matches = matches or is_meant
    return matches
