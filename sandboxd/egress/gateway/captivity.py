"""Detects a captive portal: a network that resolves all names to one place, to demand a login."""

from __future__ import annotations

from collections import OrderedDict

_MOST = 32


class Captivity:
    """Remembers which refused address the last few names led to."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()
        """Addresses by name."""

    def suspicion(self, name: str, address: str) -> str:
        """The words to add where `name` resolved to `address`, which is refused; '' while no other name led there."""
        self._names[name] = address
        self._names.move_to_end(name)
        if len(self._names) > _MOST:
            self._names.popitem(last=False)
        others = sum(other == address for other in self._names.values()) - 1
        if not others:
            return ""
        return "; other names lead there, too: a network that wants a login first, or a filter, answers so"
