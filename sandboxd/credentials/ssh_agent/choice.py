"""The keys and hosts that the user chose for the filter. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.policy.rights import KeyRights


class Host(NamedTuple):
    """A host's name as `ssh` takes it, and its host keys as they were known when the sandbox started."""

    name: str
    keys: tuple[bytes, ...]


class Choice(NamedTuple):
    """The keys and hosts that a start chose; the filter allows those among them that the sandbox may have."""

    socket: str
    """The path of the user's agent's socket."""
    keys: tuple[str, ...]
    """Fingerprints of keys, as `wire.fingerprint` returns them."""
    hosts: tuple[Host, ...]

    @property
    def words(self) -> frozenset[str]:
        """The fingerprints and the names of the hosts together."""
        return frozenset((*self.keys, *(host.name for host in self.hosts)))

    def within(self, rights: KeyRights) -> Choice:
        """The part of the choice that `rights` allow. Without a key, or without a host, nothing is signed."""
        keys = tuple(key for key in self.keys if key in rights.words)
        hosts = tuple(host for host in self.hosts if host.name in rights.words)
        return self._replace(keys=keys, hosts=hosts)

    def host_of(self, key: bytes) -> str | None:
        """The name of the chosen host with the host key `key`; None if there is none."""
        return next((host.name for host in self.hosts if key in host.keys), None)
