"""Addresses in settings: which of them name the machine that reads them."""

from __future__ import annotations

_HERE = ("localhost", "host.docker.internal")


def is_here(address: str) -> bool:
    """Whether an address names this machine, or a variable of whoever uses it."""
    if "$" in address:
        return True
    host = address.rpartition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    name = host if host.startswith("[") else host.partition(":")[0]
    return name in _HERE or name.startswith("[::1]") or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)
