"""Whether a network leads all names to one place, as those do that want a login before anything else."""

from __future__ import annotations

from collections import OrderedDict

_MOST = 32


class Captivity:
    """Remembers which refused address the last few names led to."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()
        """Addresses by name."""

    def suspicion(self, name: str, address: str) -> str:
        """What to add where `name` led to `address`, which is refused; '' as long as it is the only name."""
        self._names[name] = address
        self._names.move_to_end(name)
        if len(self._names) > _MOST:
            self._names.popitem(last=False)
        others = sum(other == address for other in self._names.values()) - 1
        if not others:
            return ""
        return "; other names lead there, too: a network that wants a login first, or a filter, answers so"
