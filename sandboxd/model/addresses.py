"""Whether an address in a setting is an address of the machine that reads the setting."""

from __future__ import annotations

import re

_HERE = ("localhost", "host.docker.internal")
_LOOPBACK_6 = re.compile(r"\[::1\](?::\d+)?")
# A browser's parser, which agents use, also takes `\\` for `/`.
_END = re.compile(r"[/\\?#]")


def is_here(address: str) -> bool:
    """Whether an address names this machine, or contains a variable that the reader's environment fills in."""
    scheme, separator, rest = address.partition("://")
    authority = _END.split(rest if separator else scheme, maxsplit=1)[0]
    host = authority.rpartition("@")[2].lower()
    if "$" in host:
        return True
    name = host if host.startswith("[") else host.partition(":")[0]
    return name in _HERE or _LOOPBACK_6.fullmatch(name) is not None or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)
