"""The capabilities that well-known images of services need, from `profiles/services/*.toml`: to add one, add a file."""

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
"""The capabilities that an entry point needs to start as root and then change to a user of its own."""


class Needs(NamedTuple):
    """The capabilities that an image's programs need to start."""

    capabilities: tuple[str, ...]
    why: str
    """The reason, without a full stop; '' for an image that no file lists."""
    source: str
    """The URL of the page that says so."""


def needs(image: str) -> Needs:
    """The capabilities that the image needs; `DEFAULT` for an image that no file lists."""
    return _table().get(repository(image), Needs(DEFAULT, "", ""))


def repository(image: str) -> str:
    """The name of `image` without registry, tag and digest, and without ``library/`` for Docker's own images."""
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
