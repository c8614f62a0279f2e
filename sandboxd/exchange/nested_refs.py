"""The refs that wait on the host whose commits would enter another repository: a file of ours, which no sandbox sees.

A status, which starts no git, says it with the command that takes them."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.errors import SandboxdError
from sandboxd.exchange import ref_names
from sandboxd.files import read_bytes, write_private

_LARGEST = 4 << 20


def read(path: str) -> dict[str, str]:
    """Name and id of each, as of the last exchange; {} where there is no record."""
    try:
        text = read_bytes(path, _LARGEST).decode("utf-8", "surrogateescape")
    except (SandboxdError, OSError):
        return {}
    pairs = (line.partition(" ") for line in text.split("\n"))
    return {name: oid for oid, _, name in pairs if name and ref_names.is_oid(oid)}


def write(path: str, now: Mapping[str, str], waiting: Mapping[str, str]) -> None:
    """Record those of `now`, and those of before that still wait as they did.

    :param waiting: all refs that wait, by name
    :raises EnvironmentFailure: it cannot be written
    """
    before = read(path)
    refs = {name: oid for name, oid in before.items() if waiting.get(name) == oid} | dict(now)
    if refs != before:
        text = "".join(f"{oid} {name}\n" for name, oid in sorted(refs.items()))
        write_private(path, text.encode("utf-8", "surrogateescape"), synced=False)
