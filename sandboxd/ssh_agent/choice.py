"""The user's choice for the filter: keys of the agent, and the hosts that they may log in to. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """A host as `ssh` knows it, with its host keys as known when the sandbox started."""

    name: str
    keys: tuple[bytes, ...]


class Choice(NamedTuple):
    """The keys and hosts that a filter allows."""

    socket: str
    """The path of the user's agent."""
    keys: tuple[str, ...]
    """Fingerprints, as `wire.fingerprint`."""
    hosts: tuple[Host, ...]

    def host_of(self, key: bytes) -> str | None:
        """The name of the bound host with the host key `key`; None without one."""
        return next((host.name for host in self.hosts if key in host.keys), None)
