"""Host names and ports as users type them: like entries of `[network] allow`, without groups."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.egress import groups
from sandboxd.egress.entries import NotAnEntry, entry
from sandboxd.egress.names import NotAName, Pattern, pattern
from sandboxd.egress.words import USUAL_PORTS
from sandboxd.errors import UsageError


class Target(NamedTuple):
    """A name with ports, typed as `NAME` or `NAME:PORT`."""

    pattern: Pattern
    ports: tuple[int, ...]

    @property
    def has_port(self) -> bool:
        """Whether the user typed a port."""
        return self.ports != USUAL_PORTS

    def __str__(self) -> str:
        return f"{self.pattern}:{self.ports[0]}" if self.has_port else str(self.pattern)


def target(text: str) -> Target:
    """Parse a host name, or `*.host`, with an optional port.

    :raises UsageError: `text` has another form
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
        raise _is_group(text)
    return Target(meant.pattern, meant.ports)


def name(text: str) -> Pattern:
    """Parse a host name, or `*.host`, without a port. A name without a dot is accepted.

    :raises UsageError: `text` has another form
    """
    if "/" not in text and ":" in text:
        raise UsageError(
            f"a denial is of every port, and `{text}` names one",
            f"name it as `{text.partition(':')[0]}`",
        )
    if text in groups.names():
        raise _is_group(text)
    try:
        return pattern(text)
    except NotAName as error:
        raise UsageError(
            f"`{text}` is {error}", "name a host: `example.org`, or `*.example.org`"
        ) from None


def _is_group(text: str) -> UsageError:
    return UsageError(
        f"`{text}` is a group, and answers are about single names",
        f"add `{text}` to `[network] allow` in sandboxd.toml, or name one of its hosts",
    )
