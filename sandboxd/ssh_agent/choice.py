"""What the user chose for the filter: keys of the agent, and the hosts that they may log in to. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """A host as `ssh` knows it, and the keys by which it was known when the sandbox started."""

    name: str
    keys: tuple[bytes, ...]


class Choice(NamedTuple):
    """All that a filter needs."""

    socket: str
    """The path of the user's agent."""
    keys: tuple[str, ...]
    """Fingerprints, as `wire.fingerprint`."""
    hosts: tuple[Host, ...]

    def host_of(self, key: bytes) -> str | None:
        """The bound host that has the key `key`."""
        return next((host.name for host in self.hosts if key in host.keys), None)
