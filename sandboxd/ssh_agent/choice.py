"""The user's choice for the filter: keys of the agent, and the hosts that they may log in to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


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

    def within(self, words: Collection[str]) -> Choice | None:
        """The part of it whose keys and hosts are among `words`; None for nothing."""
        keys = tuple(key for key in self.keys if key in words)
        hosts = tuple(host for host in self.hosts if host.name in words)
        return self._replace(keys=keys, hosts=hosts) if keys and hosts else None

    def host_of(self, key: bytes) -> str | None:
        """The name of the bound host with the host key `key`; None without one."""
        return next((host.name for host in self.hosts if key in host.keys), None)
