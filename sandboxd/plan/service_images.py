"""The needs of well-known images of services, read from `profiles/services/*.toml`: adding one is adding a file."""

from __future__ import annotations

import functools
from typing import NamedTuple

from sandboxd import data

DEFAULT = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
"""Capabilities of entry points that begin as root and step down to a user of their own."""


class Needs(NamedTuple):
    """The capabilities that an image's programs need to start."""

    capabilities: tuple[str, ...]
    why: str
    """A sentence without a full stop; '' for an image that is in no file."""
    source: str
    """The page that it was read from."""


def needs(image: str) -> Needs:
    """The needs of the image of this name; those of an unknown one are `DEFAULT`."""
    return _table().get(repository(image), Needs(DEFAULT, "", ""))


def repository(image: str) -> str:
    """`image` without registry, tag and digest; of Docker's own library the last part alone."""
    name = image.partition("@")[0]
    head, slash, tail = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = tail
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    return name.removeprefix("library/")


@functools.cache
def _table() -> dict[str, Needs]:
    table: dict[str, Needs] = {}
    for entry in data.tables("profiles", "services"):
        needed = Needs(tuple(entry["capabilities"]), entry["why"], entry["source"])
        table.update(dict.fromkeys(entry["images"], needed))
    return table
