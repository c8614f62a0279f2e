"""Names and ports as people type them: as entries of `[network] allow` are written, but for groups."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.egress.entries import USUAL_PORTS, NotAnEntry, entry
from sandboxd.egress.names import Pattern
from sandboxd.errors import UsageError


class Target(NamedTuple):
    """`NAME` or `NAME:PORT`."""

    pattern: Pattern
    ports: tuple[int, ...]

    @property
    def has_port(self) -> bool:
        """Whether one was named."""
        return self.ports != USUAL_PORTS

    def __str__(self) -> str:
        return f"{self.pattern}:{self.ports[0]}" if self.has_port else str(self.pattern)


def target(text: str) -> Target:
    """The name, or `*.host`, and the ports that `text` means.

    :raises UsageError: it is none
    """
    if "/" in text:
        raise UsageError(
            f"`{text}` is no host", "name the host alone: what follows `://`, up to the next `/`"
        )
    try:
        meant = entry(text)
    except NotAnEntry as error:
        raise UsageError(
            f"`{text}` {error}",
            "name a host: `example.org`, `example.org:22`, or `*.example.org` for those below it",
        ) from None
    if meant.pattern is None:
        raise UsageError(
            f"`{text}` is a group, and answers are about single names",
            f"add `{text}` to `[network] allow` in sandboxd.toml",
        )
    return Target(meant.pattern, meant.ports)
