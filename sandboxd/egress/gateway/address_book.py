"""Synthetic addresses: which address stands for which name.

An address never changes its meaning while the gateway lives. After a restart it keeps it for the names that
the policy carries, which the host learned from `Assigned`. For other names the first address is chosen at
random: a client that still holds an address from before the restart then reaches a different name with a
probability of (names in use / size of the range), and else none, which is refused; TLS and HTTP are checked
against the name as well."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


class AddressBook:
    """Assigns the addresses of one range to names."""

    def __init__(self, network: str, start: int) -> None:
        """:param network: '' for no range: then no name gets an address
        :param start: any number: where in the range assigning begins
        """
        self._first = self._size = self._next = self._below = 0
        if network:
            span = ipaddress.IPv4Network(network)
            self._first, self._size = int(span[1]), span.num_addresses - 2
            self._next = start % self._size
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}

    @property
    def has_range(self) -> bool:
        """Whether there are addresses to assign at all."""
        return self._size > 0

    def __len__(self) -> int:
        return len(self._addresses)

    def name(self, address: str) -> str | None:
        """The name that `address` stands for."""
        return self._names.get(address)

    def address(self, name: str) -> str | None:
        """The address that stands for `name`, where one does."""
        return self._addresses.get(name)

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take over names and addresses of an earlier run; those assigned in this run take precedence."""
        for name, address in pairs:
            if name in self._addresses or address in self._names or not self._holds(address):
                continue
            self._enter(name, address)

    def assign(self, name: str, below: bool) -> str | None:
        """A new address for `name`, which has none yet; None where all are in use.

        :param below: whether `name` is one of the endless names below a wildcard, which share half of the
            range
        """
        if len(self) >= self._size or (below and self._below >= self._size // 2):
            return None
        while True:
            address = str(ipaddress.IPv4Address(self._first + self._next))
            self._next = (self._next + 1) % self._size
            if address not in self._names:
                break
        self._below += below
        self._enter(name, address)
        return address

    def _holds(self, address: str) -> bool:
        return 0 <= int(ipaddress.IPv4Address(address)) - self._first < self._size

    def _enter(self, name: str, address: str) -> None:
        self._addresses[name], self._names[address] = address, name
