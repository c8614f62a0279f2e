"""The user's choice for the filter: keys of the agent, and the hosts that they may log in to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.policy.rights import KeyRights


class Host(NamedTuple):
    """A host as `ssh` knows it, with its host keys as known when the sandbox started."""

    name: str
    keys: tuple[bytes, ...]


class Choice(NamedTuple):
    """The keys and hosts that a start found: of these a filter allows what its sandbox may have."""

    socket: str
    """The path of the user's agent."""
    keys: tuple[str, ...]
    """Fingerprints, as `wire.fingerprint`."""
    hosts: tuple[Host, ...]

    @property
    def words(self) -> frozenset[str]:
        """Its keys and hosts, as a record names them."""
        return frozenset((*self.keys, *(host.name for host in self.hosts)))

    def within(self, rights: KeyRights) -> Choice:
        """The part of it that a sandbox may have: without a key, or without a host, nothing is signed."""
        keys = tuple(key for key in self.keys if key in rights.words)
        hosts = tuple(host for host in self.hosts if host.name in rights.words)
        return self._replace(keys=keys, hosts=hosts)

    def host_of(self, key: bytes) -> str | None:
        """The name of the bound host with the host key `key`; None without one."""
        return next((host.name for host in self.hosts if key in host.keys), None)
